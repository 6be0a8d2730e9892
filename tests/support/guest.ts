import type { TestDatabase } from "./test_database.ts";

/** A role that has only the privileges it was granted. Disposing of it removes it. */
export interface Guest extends AsyncDisposable {
  readonly name: string;
  /** The database's URL for it. */
  readonly url: string;
}

/**
 * Creates a role that may use the schema `maskline` and has these privileges.
 *
 * @param privileges the text between GRANT and TO, as in `SELECT ON maskline.vault`
 */
export async function createGuest(
  inside: TestDatabase,
  privileges: readonly string[],
): Promise<Guest> {
  const name = `guest_${crypto.randomUUID().slice(0, 8)}`;
  const password = crypto.randomUUID();
  await inside.query(`CREATE ROLE ${name} LOGIN PASSWORD '${password}'`);
  for (const privilege of ["USAGE ON SCHEMA maskline", ...privileges]) {
    await inside.query(`GRANT ${privilege} TO ${name}`);
  }
  const url = new URL(inside.url);
  url.username = name;
  // The tests' own server asks for no password on loopback, but a server that is lent to them may ask.
  url.password = password;
  return {
    name,
    url: url.href,
    async [Symbol.asyncDispose]() {
      await inside.query(`DROP OWNED BY ${name}`);
      await inside.query(`DROP ROLE ${name}`);
    },
  };
}

/** The privilege to write the audit log, for {@linkcode createGuest}. */
export const NOTE_AUDIT =
  "EXECUTE ON FUNCTION maskline.note_audit(text, text, text[], text[], text, text, text)";
