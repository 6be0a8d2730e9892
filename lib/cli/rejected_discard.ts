import { discardRejected } from "../custody/rejected.ts";
import { withDatabases } from "../worker/databases.ts";
import { type Command, exit } from "./command.ts";
import { JUSTIFICATION_HELP, justificationFlags, readJustification } from "./flags.ts";
import { escapeText } from "./terminal/escape.ts";

/** `maskline rejected discard` */
export const rejectedDiscard: Command = {
  usage: "rejected discard ID… --reason TEXT [--ticket ID]",
  help: `
Discards rejected messages: their sealed bodies are erased, which is permanent. That they were received, and
why they were rejected, stays on record.

${JUSTIFICATION_HELP}

  maskline rejected discard ID --reason 'sent by a load test' --ticket OPS-17`,
  options: justificationFlags,
  words: [1, 1000],
  async run(io, { flags, words }) {
    const justification = readJustification(io, flags);
    return await withDatabases(io.source, {}, async (databases) => {
      const ids = [...new Set(words)];
      let discarded = 0;
      try {
        for (const [index, id] of ids.entries()) {
          const status = await discardRejected(databases, id, justification);
          if (status === "open") discarded++;
          else if (status) io.err(`Message ${escapeText(id)} was ${status} before\n`);
          // An unknown id is not repeated, because it may be a personal value in the wrong place.
          else io.err(`Message ${index + 1} of the command line was not rejected\n`);
        }
      } finally {
        io.out(`${discarded} discarded\n`);
      }
      return discarded === ids.length ? exit.done : exit.failed;
    });
  },
};
