import { type Command, UsageError } from "./command.ts";
import { rejectedDiscard } from "./rejected_discard.ts";
import { rejectedList } from "./rejected_list.ts";
import { rejectedReplay } from "./rejected_replay.ts";
import { rejectedShow } from "./rejected_show.ts";

/** What can be done with messages that were set aside, each a command of its own. */
const verbs: Readonly<Record<string, Command>> = {
  list: rejectedList,
  show: rejectedShow,
  replay: rejectedReplay,
  discard: rejectedDiscard,
};

const names = Object.keys(verbs);

/** `maskline rejected` */
export const rejected: Command = {
  usage: `rejected ${names.join("|")} …`,
  help: Object.values(verbs).map(({ usage, help }) => `maskline ${usage}\n\n${help.trim()}\n`)
    .join("\n\n"),
  options: Object.assign({}, ...Object.values(verbs).map(({ options }) => options)),
  words: [1, 1 + Math.max(...Object.values(verbs).map(({ words: [, most] = [0, 0] }) => most))],
  async run(io, { flags, words: [name = "", ...words] }) {
    const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
    if (!verb) throw new UsageError(`Wanted: maskline rejected ${names.join(", ")}`);
    const { usage, options = {}, words: [least, most] = [0, 0] } = verb;
    const foreign = Object.keys(flags).some((flag) => !Object.hasOwn(options, flag));
    if (foreign || words.length < least || words.length > most) {
      throw new UsageError(`Wanted: maskline ${usage}`);
    }
    return await verb.run(io, { flags, words });
  },
};
