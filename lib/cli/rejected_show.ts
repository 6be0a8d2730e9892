import { type Reason, reasons } from "../contract/reasons.ts";
import { recordBeforeShowing } from "../custody/audit.ts";
import type { Database } from "../store/postgres/database.ts";
import { wasRejected } from "../store/postgres/sql/ledger.ts";
import { findRejected, type FoundRejection } from "../store/postgres/sql/rejected.ts";
import { createKeyChain } from "../vault/open.ts";
import { withDatabases } from "../worker/databases.ts";
import { type Command, exit, type Io } from "./command.ts";
import { justificationFlags, readJustification } from "./justification_flags.ts";
import { escapeText } from "./terminal/escape.ts";

/** `maskline rejected show` */
export const rejectedShow: Command = {
  usage: "rejected show ID --reason TEXT [--ticket ID] [--raw]",
  help: `
Opens the body of one message that was set aside and prints it to standard output; why it was set aside
goes to standard error. Needs VAULT_PRIVATE_KEY, and is noted in the audit before anything is shown.

  --reason TEXT   why it is opened, for the audit
  --ticket ID     what it belongs to, for the audit
  --raw           the very bytes, for another program; else what a terminal would obey is escaped

  maskline rejected show ID --reason 'which field is wrong?' --raw | maskline explain`,
  options: { ...justificationFlags, raw: { type: "boolean" } },
  words: [1, 1],
  async run(io, { flags, words: [id = ""] }) {
    const why = readJustification(io, flags);
    return await withDatabases(
      io,
      ["VAULT_PRIVATE_KEY"],
      async ({ settings, database, vault }) => {
        const keys = createKeyChain(settings.VAULT_PRIVATE_KEY ?? []);
        const found = await findBody(database, id, io);
        if (!found) return exit.failed;
        const { message_id: mask, sealed, key_id } = found;
        const subject = { field: "rejected", mask };
        const body = await keys.open(new Uint8Array(sealed), key_id, subject);
        await recordBeforeShowing(vault, { action: "show", subjects: [subject], ...why });
        io.err(describe(found));
        io.out(flags["raw"] ? body : `${escapeText(body)}\n`);
        return exit.done;
      },
    );
  },
};

/** The rejection with its body; where there is none, people are told why. */
async function findBody(
  database: Database,
  id: string,
  io: Io,
): Promise<FoundRejection | undefined> {
  const [found] = await database.query<FoundRejection>(findRejected, [id]);
  if (found && found.sealed.length > 0) return found;
  if (found) {
    io.err(`The body was erased when the message was ${found.status}\n`);
    return undefined;
  }
  const [ledger] = await database.query<{ rejected: boolean }>(wasRejected, [id]);
  // What was typed is not repeated: it may be a personal value in the wrong place.
  io.err(
    ledger?.rejected
      ? "The message was set aside, and its body went to the queue for rejected messages\n"
      : "No message with that id was set aside\n",
  );
  return undefined;
}

function describe(found: FoundRejection): string {
  const { message_id, sent_at, rejected_at, receive_count, reason, field, sqlstate } = found;
  const where = [field, sqlstate && `SQLSTATE ${sqlstate}`].filter(Boolean).join(", ");
  const sentence = Object.hasOwn(reasons, reason) ? `: ${reasons[reason as Reason]}` : "";
  return `message    ${escapeText(message_id)}
reason     ${escapeText(`${reason}${where ? ` (${where})` : ""}`)}${sentence}
sent       ${sent_at}
set aside  ${rejected_at}, receive count ${receive_count}
`;
}
