// @ts-types="@types/pg"
import { Client } from "pg";

/** A session of Postgres that stays open, to hold locks and transactions. Disposing of it ends it. */
export interface Session extends AsyncDisposable {
  query(sql: string, params?: readonly unknown[]): Promise<void>;
  /** Ends the session, its locks and its transaction. Safe to call twice. */
  end(): Promise<void>;
}

/** Opens a session of the database at `url`. */
export async function openSession(url: string): Promise<Session> {
  const client = new Client({ connectionString: url });
  // A lost connection is emitted as well; without a listener it ends the process.
  client.on("error", () => {});
  await client.connect();
  let ended: Promise<void> | undefined;
  const end = () => ended ??= client.end();
  return {
    async query(sql, params = []) {
      await client.query(sql, [...params]);
    },
    end,
    [Symbol.asyncDispose]: end,
  };
}
