import { type Justification, recordAudit } from "../custody/audit.ts";
import {
  closeRejected,
  type LockedRejection,
  lockRejected,
} from "../store/postgres/sql/rejected.ts";
import { type Databases, vaultWithin, withDatabases } from "../worker/databases.ts";
import { type Command, exit } from "./command.ts";
import { justificationFlags, readJustification } from "./justification_flags.ts";

/** `maskline rejected discard` */
export const rejectedDiscard: Command = {
  usage: "rejected discard ID… --reason TEXT [--ticket ID]",
  help: `
Gives up messages that were set aside: their sealed bodies are erased, which nothing brings back. That
they came, and why they were set aside, stays on record.

  --reason TEXT   why, for the audit
  --ticket ID     what it belongs to, for the audit

  maskline rejected discard ID --reason 'sent by a load test' --ticket OPS-17`,
  options: justificationFlags,
  words: [1, 1000],
  async run(io, { flags, words }) {
    const why = readJustification(io, flags);
    return await withDatabases(io, [], async (databases) => {
      let discarded = 0;
      const ids = [...new Set(words)];
      try {
        for (const [index, id] of ids.entries()) {
          const status = await discard(databases, id, why);
          if (status === "open") discarded++;
          else if (status) io.err(`Message ${id} was ${status} before\n`);
          // An id that nobody knows is not repeated: it may be a personal value in the wrong place.
          else io.err(`Message ${index + 1} of the command line was not set aside\n`);
        }
      } finally {
        io.out(`${discarded} discarded\n`);
      }
      return discarded === ids.length ? exit.done : exit.failed;
    });
  },
};

/** Gives the status that the message had; only an open one is discarded. */
async function discard(
  databases: Databases,
  id: string,
  why: Justification,
): Promise<LockedRejection["status"] | undefined> {
  return await databases.database.transaction(async (connection) => {
    const [found] = await connection.query<LockedRejection>(lockRejected, [id]);
    if (found?.status !== "open") return found?.status;
    const mask = found.message_id;
    const subjects = [{ field: "rejected", mask }];
    await vaultWithin(
      databases,
      connection,
      (vault) => recordAudit(vault, { action: "discard", subjects, ...why }),
    );
    await connection.query(closeRejected, [mask, "discarded"]);
    return "open";
  });
}
