import type { ProcessUser } from "./unprivileged_user.ts";

/** A clean-up that runs when we let go, and also when we die. */
export interface Lifeline {
  /** Runs the clean-up and waits until it is done. */
  release(): Promise<void>;
}

/**
 * Holds a shell that runs `script` (with `args` as `$1`, `$2`, …) as soon as its standard input ends,
 * which the kernel sees to even if we are killed, or if a test file throws while it loads and Deno
 * dispatches no `unload`. A child process that outlived every such run would be the worse failure.
 */
export function holdLifeline(script: string, args: readonly string[], user: ProcessUser): Lifeline {
  const shell = new Deno.Command("/bin/sh", {
    // Ctrl-C reaches the whole group; the one who cleans up must outlive it.
    args: ["-c", `trap '' INT TERM HUP; read -r _; ${script}`, "leash", ...args],
    cwd: "/",
    stdin: "piped",
    stdout: "null",
    stderr: "null",
    ...user,
  }).spawn();
  // It must not keep alive the process whose end it waits for.
  shell.unref();
  return {
    async release() {
      shell.ref();
      await shell.stdin.close();
      await shell.status;
    },
  };
}
