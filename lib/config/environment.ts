import type { Source } from "./read_settings.ts";

/** What was read, since a pipe (`MASK_PEPPER_FILE=/dev/fd/3`) gives what it has only once. */
const read = new Map<string, string>();

/** The settings of this process: its environment, and the files that it names. */
export const environment: Source = {
  get: (name) => Deno.env.get(name),
  readFile(path) {
    const text = read.get(path) ?? Deno.readTextFileSync(path);
    read.set(path, text);
    return text;
  },
  othersMayRead(path) {
    const { mode } = Deno.statSync(path);
    return mode !== null && (mode & 0o077) !== 0;
  },
  names() {
    // A compiled binary may read its own names only, and so cannot list what else is set.
    const { state } = Deno.permissions.querySync({ name: "env" });
    return state === "granted" ? Object.keys(Deno.env.toObject()) : [];
  },
};
