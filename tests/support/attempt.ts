import type { Session } from "./open_session.ts";

/** How Postgres took a statement: it lacked a privilege, or not, whatever else became of it. */
export type Verdict = "allowed" | "denied";

/**
 * Tries a statement and takes it back. One that fails for want of values, say, was allowed.
 *
 * @throws {Error} the statement itself is wrong: a name or its syntax
 */
export async function attempt(session: Session, statement: string): Promise<Verdict> {
  await session.query("BEGIN");
  try {
    await session.query(statement);
    return "allowed";
  } catch (error) {
    const { code = "" } = error as { code?: string };
    if (code === "42501") return "denied";
    if (code.startsWith("42")) throw new Error(`${statement}: ${code}`, { cause: error });
    return "allowed";
  } finally {
    await session.query("ROLLBACK");
  }
}
