import type { ProcessUser } from "./unprivileged_user.ts";

/** A clean-up that runs on release, and also when this process dies. */
export interface Lifeline {
  /** Runs the clean-up and waits until it is done. */
  release(): Promise<void>;
}

/**
 * Starts a shell that runs `script` (with `args` as `$1`, `$2`, …) as soon as its standard input ends. The
 * kernel ends it even if this process is killed, or if a test file throws while it loads and Deno
 * dispatches no `unload`. A child process that outlives every such run would be the worse failure.
 */
export function holdLifeline(script: string, args: readonly string[], user: ProcessUser): Lifeline {
  const shell = new Deno.Command("/bin/sh", {
    // Ctrl-C reaches the whole group, and the clean-up must survive it.
    args: ["-c", `trap '' INT TERM HUP; read -r _; ${script}`, "lifeline", ...args],
    cwd: "/",
    stdin: "piped",
    stdout: "null",
    stderr: "null",
    ...user,
  }).spawn();
  // The shell must not keep alive the process whose end it waits for.
  shell.unref();
  return {
    async release() {
      shell.ref();
      await shell.stdin.close();
      await shell.status;
    },
  };
}
