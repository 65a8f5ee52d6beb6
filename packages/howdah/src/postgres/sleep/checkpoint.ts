import type pg from "pg";

/** Writes what is dirty while clients may still come, so that the stop has little left to write. An immediate
 *  checkpoint, as the stop's own. */
export async function checkpoint(client: pg.Client): Promise<void> {
  await client.query("CHECKPOINT");
}
