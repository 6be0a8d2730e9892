import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/** A Postgres database in this process with a real socket. */
export interface LocalDatabase {
  readonly url: string;
  /** Reads some rows of `user_logins`, with long values cut. */
  readSampleRows(): Promise<Record<string, unknown>[]>;
  /** Finds a device that two users share, by its mask. */
  findSharedDevice(): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

const SAMPLE_ROWS = `
SELECT left(user_id, 8) || '…' AS user_id, device_type, left(masked_ip, 15) || '…' AS masked_ip,
  left(masked_device_id, 15) || '…' AS masked_device_id, locale, app_version, create_date::text
FROM public.user_logins LIMIT 5`;

const SHARED_DEVICE = `
SELECT left(masked_device_id, 15) || '…' AS masked_device_id,
  string_agg(DISTINCT left(user_id, 8) || '…', ', ') AS users
FROM public.user_logins GROUP BY user_logins.masked_device_id
HAVING count(DISTINCT user_id) = 2 ORDER BY 1 LIMIT 1`;

/**
 * Starts Postgres (PGlite, compiled to WebAssembly) on a free loopback port. All data is lost on close.
 * All connections share one session, so it can serve one worker with one connection.
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
    readSampleRows: async () => (await database.query<Record<string, unknown>>(SAMPLE_ROWS)).rows,
    findSharedDevice: async () =>
      (await database.query<Record<string, unknown>>(SHARED_DEVICE)).rows,
    async close() {
      await server.stop();
      await database.close();
    },
  };
}
