import { fileURLToPath } from "node:url";

/** How a Maskline process ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A running Maskline process. */
export interface MasklineProcess {
  readonly pid: number;
  /** Everything on its standard error so far. */
  err(): string;
  /** Resolves once standard error matches; rejects when the process ends first. */
  untilErr(pattern: RegExp): Promise<void>;
  kill(signal: Deno.Signal): void;
  readonly ended: Promise<Ended>;
}

/** Options of {@linkcode startMaskline}. */
export interface MasklineOptions {
  /** The whole environment of the process, besides what Deno itself needs. */
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  /** The compiled binary instead of `deno run main.ts`. */
  readonly binary?: string;
  /** Another entry than `main.ts`. */
  readonly entry?: URL;
}

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** Starts the real program in a process of its own. */
export function startMaskline(args: readonly string[], options: MasklineOptions): MasklineProcess {
  const command = options.binary ?? Deno.execPath();
  const child = new Deno.Command(command, {
    args: options.binary
      ? [...args]
      : ["run", "--quiet", "-A", options.entry ? fileURLToPath(options.entry) : main, ...args],
    clearEnv: true,
    env: { ...denoVariables(), ...options.env },
    stdin: options.input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Growing();
  const feeding = feed(child, options.input);
  const ended = (async () => {
    const [out, , { code }] = await Promise.all([
      new Response(child.stdout).text(),
      errors.read(child.stderr),
      child.status,
      feeding,
    ]);
    return { code, out, err: errors.text };
  })();
  return {
    pid: child.pid,
    err: () => errors.text,
    untilErr: (pattern) => errors.until(pattern),
    kill: (signal) => child.kill(signal),
    ended,
  };
}

/** Runs the real program to its end. */
export function runMaskline(args: readonly string[], options: MasklineOptions): Promise<Ended> {
  return startMaskline(args, options).ended;
}

async function feed(child: Deno.ChildProcess, input: string | undefined): Promise<void> {
  if (input === undefined) return;
  const writer = child.stdin.getWriter();
  // A program that does not read its input can have ended already.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
}

/** Returns the variables that Deno needs to find its cache. The program under test reads none of them. */
function denoVariables(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME", "DENO_TLS_CA_STORE", "TMPDIR"];
  return Object.fromEntries(names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

/** A text that grows, and for which a test can wait. */
class Growing {
  text = "";
  #ended = false;
  #changed = Promise.withResolvers<void>();

  async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.text += decoder.decode(chunk, { stream: true });
      this.#wake();
    }
    this.#ended = true;
    this.#wake();
  }

  async until(pattern: RegExp): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, 60_000);
    try {
      while (!pattern.test(this.text)) {
        if (this.#ended || late) {
          throw new Error(`Expected output that matches ${pattern}, got:\n${this.text}`);
        }
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
