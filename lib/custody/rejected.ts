import { OperationError } from "../base/errors.ts";
import type { Queryable } from "../store/postgres/database.ts";
import { findRejectedOutcome } from "../store/postgres/sql/ledger.ts";
import {
  closeRejected,
  findRejected,
  type FoundRejection,
  type ListedRejection,
  listRejected as newestRejected,
  type LockedRejection,
  lockRejected,
} from "../store/postgres/sql/rejected.ts";
import { createKeyChain } from "../vault/open.ts";
import { bindRejectedBody } from "../vault/suite.ts";
import type { Databases } from "../worker/databases.ts";
import { type Justification, recordAudit, recordBeforeShowing } from "./audit.ts";

export type { FoundRejection, ListedRejection };

/**
 * Lists rejections, the newest first, without their bodies.
 *
 * @param status null for all of them
 * @param limit at most so many, from 1
 * @throws {StoreError} the database refused or did not answer
 */
export function listRejected(
  database: Queryable,
  status: "open" | null,
  limit: number,
): Promise<ListedRejection[]> {
  return database.query<ListedRejection>(newestRejected, [status, limit]);
}

/** A rejection and its opened body. */
export interface ShownRejection {
  readonly rejection: FoundRejection;
  readonly body: string;
}

/**
 * Opens the body of a rejected message, and records that in the audit log before it returns the body.
 *
 * @throws {OperationError} there is no such body; the message does not repeat the id, which may be a personal
 * value in the wrong place
 * @throws {OpenError} it does not open
 * @throws {StoreError} the audit log could not be written, so nothing is shown
 */
export async function showRejected(
  { settings, database, vault }: Databases,
  id: string,
  justification: Justification,
): Promise<ShownRejection> {
  const rejection = await findBody(database, id);
  const keys = createKeyChain(settings.VAULT_PRIVATE_KEY ?? []);
  const subject = bindRejectedBody(rejection.message_id);
  const body = await keys.open(new Uint8Array(rejection.sealed), rejection.key_id, subject);
  await recordBeforeShowing(vault, { action: "show", subjects: [subject], ...justification });
  return { rejection, body };
}

async function findBody(database: Queryable, id: string): Promise<FoundRejection> {
  const [found] = await database.query<FoundRejection>(findRejected, [id]);
  if (found && found.sealed.length > 0) return found;
  if (found) throw new OperationError(`The body was erased when the message was ${found.status}`);
  const [ledger] = await database.query<{ rejected: boolean }>(findRejectedOutcome, [id]);
  throw new OperationError(
    ledger?.rejected
      ? "The message was rejected, and its body was sent to the queue for rejected messages"
      : "No message with that id was rejected",
  );
}

/**
 * Discards an open rejection: erases its body, and records that in the audit log.
 *
 * @returns the status that it had, which is not changed unless it was `open`; undefined if it does not exist
 * @throws {StoreError} nothing was changed, or the message says that only the vault's part was
 */
export async function discardRejected(
  databases: Databases,
  id: string,
  justification: Justification,
): Promise<LockedRejection["status"] | undefined> {
  return await databases.transaction(async ({ database, inVault }) => {
    const [found] = await database.query<LockedRejection>(lockRejected, [id]);
    if (found?.status !== "open") return found?.status;
    await database.query(closeRejected, [found.message_id, "discarded"]);
    const subjects = [bindRejectedBody(found.message_id)];
    await inVault((vault) => recordAudit(vault, { action: "discard", subjects, ...justification }));
    return "open";
  });
}
