import type { App } from "../spec/index.js";
import type { Database } from "./database.js";
import type { SecretBox, SecretPlace } from "./secret-box.js";
import type { Store } from "./types.js";

/** The parts of a project that Howdah does not run; encrypted whole, since a file's literals may be secrets. */
export function createApps(db: Database, box: SecretBox): Store["apps"] {
  return {
    replace: (project, apps) =>
      db.transaction(() => {
        deleteApps(db, project);
        for (const [position, app] of apps.entries()) {
          insertApp(db, {
            project,
            position,
            name: app.name,
            app: box.seal(JSON.stringify(app), place(project, app.name)),
          });
        }
      }),
    list: (project) =>
      selectApps(db, project).map((row) => JSON.parse(box.open(row.app, place(project, row.name))) as App),
    projects: () => selectProjects(db),
  };
}

const place = (project: string, name: string): SecretPlace => ({ table: "apps", row: [project, name], column: "app" });

function deleteApps(db: Database, project: string): void {
  db.run("delete from apps where project = :project", { project });
}

function insertApp(db: Database, row: { project: string; name: string; position: number; app: Buffer }): void {
  db.run("insert into apps (project, name, position, app) values (:project, :name, :position, :app)", row);
}

function selectApps(db: Database, project: string): { name: string; app: Buffer }[] {
  return db.all("select name, app from apps where project = :project order by position", { project });
}

function selectProjects(db: Database): string[] {
  return db.all<{ project: string }>("select distinct project from apps order by project").map((row) => row.project);
}
