/** Ids for `Deno.Command`. Empty if the child runs as the same user. */
export interface ProcessUser {
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Finds the user as which Postgres runs. It refuses to run as root, so root (usually in a container) runs
 * it as the user `postgres`, or otherwise `nobody`. All other users run it as themselves.
 */
export async function unprivilegedUser(): Promise<ProcessUser> {
  if (Deno.uid() !== 0) return {};
  const users = await Deno.readTextFile("/etc/passwd").catch(() => "");
  for (const name of ["postgres", "nobody"]) {
    const match = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, "m").exec(users);
    if (match) return { uid: Number(match[1]), gid: Number(match[2]) };
  }
  // The number of `nobody` on Linux; it needs no entry in /etc/passwd.
  return { uid: 65534, gid: 65534 };
}
