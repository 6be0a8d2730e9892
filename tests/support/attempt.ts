import type { Session } from "./open_session.ts";

/** Whether Postgres denied a statement for lack of a privilege. Any other result counts as allowed. */
export type Verdict = "allowed" | "denied";

/**
 * Runs a statement and rolls it back. A statement that fails for another reason, such as missing values,
 * was allowed.
 *
 * @throws {Error} the statement itself is wrong: a name or the syntax
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
