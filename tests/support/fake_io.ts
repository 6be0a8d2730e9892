import type { Io } from "../../lib/cli/command.ts";
import type { Source } from "../../lib/config/read_settings.ts";

/** Creates a source with these settings and the files that they name. Another path throws `NotFound`. */
export function fakeSource(
  values: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): Source {
  return {
    get: (name) => Object.hasOwn(values, name) ? values[name] : undefined,
    readFile(path) {
      const text = files[path];
      // As the real message, this names the path, so that tests notice where it is repeated.
      if (text === undefined) throw new Deno.errors.NotFound(`No such file: ${path}`);
      return text;
    },
    othersMayRead: (path) => path.startsWith("/open/"),
    names: () => Object.keys(values),
  };
}

/** Options of {@linkcode fakeIo}. */
export interface FakeIoOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** The text on standard input. */
  readonly stdin?: string;
}

/** An {@linkcode Io} that records its output. */
export interface FakeIo extends Io {
  readonly written: { readonly out: string; readonly err: string };
}

/** Creates an {@linkcode Io} for a command that has no access to the real one. */
export function fakeIo({ settings, files, stdin = "" }: FakeIoOptions = {}): FakeIo {
  const written = { out: "", err: "" };
  return {
    source: fakeSource(settings, files),
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    input: () => Promise.resolve(stdin),
    isTerminal: false,
    user: () => "tester",
    signal: new AbortController().signal,
    written,
  };
}
