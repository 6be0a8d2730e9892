import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/** A Postgres in this process, behind a real socket. */
export interface LocalDatabase {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts Postgres (PGlite, compiled to WebAssembly) on a free loopback port. Nothing is kept when it
 * closes. All connections share one session, so it serves one worker with one connection.
 */
export async function startLocalDatabase(): Promise<LocalDatabase> {
  const database = await PGlite.create();
  const server = new PGLiteSocketServer({
    db: database,
    host: "127.0.0.1",
    port: 0,
    maxConnections: 10,
  });
  await server.start();
  const address = server.getServerConn();
  return {
    url: `postgres://postgres@${address}/postgres`,
    async close() {
      await server.stop();
      await database.close();
    },
  };
}
