import { type Reason, reasons } from "../contract/reasons.ts";
import { type FoundRejection, showRejected } from "../custody/rejected.ts";
import { withDatabases } from "../worker/databases.ts";
import { type Command, exit } from "./command.ts";
import { JUSTIFICATION_HELP, justificationFlags, readJustification } from "./flags.ts";
import { escapeText } from "./terminal/escape.ts";

/** `maskline rejected show` */
export const rejectedShow: Command = {
  usage: "rejected show ID --reason TEXT [--ticket ID] [--raw]",
  help: `
Opens the body of one rejected message and prints it to standard output. Why it was rejected is printed to
standard error. Needs VAULT_PRIVATE_KEY. It is recorded in the audit log before anything is shown.

${JUSTIFICATION_HELP}
  --raw          the exact bytes, for another program; otherwise what a terminal would obey is escaped

  maskline rejected show ID --reason 'which field is wrong?' --raw | maskline explain`,
  options: { ...justificationFlags, raw: { type: "boolean" } },
  words: [1, 1],
  async run(io, { flags, words: [id = ""] }) {
    const justification = readJustification(io, flags);
    const needs = { settings: ["VAULT_PRIVATE_KEY"] } as const;
    return await withDatabases(io.source, needs, async (databases) => {
      const { rejection, body } = await showRejected(databases, id, justification);
      io.err(describeRejection(rejection));
      io.out(flags["raw"] ? body : `${escapeText(body)}\n`);
      return exit.done;
    });
  },
};

function describeRejection(rejection: FoundRejection): string {
  const { message_id, sent_at, rejected_at, receive_count, reason, field, sqlstate } = rejection;
  const where = [field, sqlstate && `SQLSTATE ${sqlstate}`].filter(Boolean).join(", ");
  const sentence = Object.hasOwn(reasons, reason) ? `: ${reasons[reason as Reason]}` : "";
  return `message   ${escapeText(message_id)}
reason    ${escapeText(`${reason}${where ? ` (${where})` : ""}`)}${sentence}
sent      ${sent_at}
rejected  ${rejected_at}, receive count ${receive_count}
`;
}
