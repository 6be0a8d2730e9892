/**
 * Finds a free port below those that the kernel gives to clients (from 32768 on Linux, 49152 elsewhere).
 * Any connection could take one of those while the server is stopped for a moment.
 */
export function freePort(): number {
  for (let attempt = 1;; attempt++) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || attempt === 100) throw error;
    }
  }
}
