/** A short name that is unique in the installation: the bare name where it is free, else with the project, else numbered. */
export function chooseSlug(service: { id: number; project: string; name: string }, taken: ReadonlySet<string>): string {
  const long = `${service.project}-${service.name}`;
  for (const slug of [service.name, long, `${long}-${service.id}`]) {
    if (!taken.has(slug)) return slug;
  }
  // Somebody has named a service like the slug of another: digits at the front are in no name.
  let slug = `${service.id}-${long}`;
  while (taken.has(slug)) slug = `${service.id}-${slug}`;
  return slug;
}
