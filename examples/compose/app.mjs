// Shows that the environment leads to a real database. The driver comes with Howdah's own checkout; elsewhere: npm install pg
import pg from "pg";

const client = new pg.Client({ connectionString: process.env.CONNECTURL });
await client.connect();
const { rows } = await client.query("select version(), current_user, current_database()");
console.log(rows[0]);
await client.end();
