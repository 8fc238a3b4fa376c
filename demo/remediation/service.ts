// A service with a database, whose faults are real: it hangs, it fails, its queries wait for a lock, its database is
// gone. Everything comes from environment variables, so that every release is the same code.
//
// `GET /wedge` makes the replica that it reaches hang for all users.
//
// FAULT         none | errors | hang | leak: each request keeps a connection for ever
// FAULT_AFTER   the number of requests that are served well before the fault begins
// FAULT_FOR     the number of requests that the fault lasts (default: for ever)
// DATABASE_URL  the database; TABLE is what each request reads
import http from "node:http";
import pg from "pg";

const { FAULT = "none", FAULT_AFTER = "0", FAULT_FOR = "Infinity", DATABASE_URL, TABLE = "prices", PORT } = process.env;
const begins = Number(FAULT_AFTER);
const ends = begins + Number(FAULT_FOR);
const pool = new pg.Pool({
  connectionString: DATABASE_URL,
  max: FAULT === "leak" ? 1000 : 8, // what leaks must run into the limit of the role
  connectionTimeoutMillis: 800,
  statement_timeout: 600, // by the server, so that a session whose client gave up does not wait on
  application_name: "service",
});
pool.on("error", () => undefined);
let requests = 0;
let isWedged = false;

const server = http.createServer(async (request, response) => {
  const send = (status: number): void => void response.writeHead(status).end();
  if (request.url?.startsWith("/health")) return send(200);
  if (request.url === "/wedge") {
    isWedged = true;
    return send(202);
  }
  requests += 1;
  if (isWedged) return; // this replica never answers a user again, and its probes are fine

  const isFaulty = requests > begins && requests <= ends;
  if (isFaulty && FAULT === "hang") return; // the request is never answered
  if (isFaulty && FAULT === "errors") return send(500);
  try {
    if (isFaulty && FAULT === "leak") await pool.connect();
    await pool.query(`select price from ${pg.escapeIdentifier(TABLE)} limit 1`);
    send(200);
  } catch {
    send(503);
  }
});
server.listen(Number(PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
