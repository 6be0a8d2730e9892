import { OperationError } from "../../base/errors.ts";
/** TLS as the driver takes it: off, or on with or without a verified certificate. */
export type Tls = false | { readonly rejectUnauthorized: boolean; readonly ca?: string };

/** The driver takes these from the query, past the host by which TLS was decided here. */
const CONFLICTING_PARAMETERS = ["host", "hostaddr", "port", "ssl"];

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * How to speak TLS to the database of a URL. Without `sslmode` the certificate is verified, unless the
 * host is loopback, where there is no network to listen on. `sslmode` means what libpq says: `disable`
 * (none), `require` (encrypted, unverified), `verify-ca` and `verify-full` (verified); `sslrootcert`
 * names a file with the authority's certificate.
 *
 * @throws {OperationError} another `sslmode`: `allow` and `prefer` fall back to clear text silently; or a
 * query that names another host or its own `ssl`, which would do the same; or a certificate that cannot be read
 */
export function resolveTls(url: URL): Tls {
  const elsewhere = CONFLICTING_PARAMETERS.find((name) => url.searchParams.has(name));
  if (elsewhere) {
    throw new OperationError(
      `The database's URL: wanted no ${elsewhere} in the query; host and port stand before it, and sslmode ` +
        "says how to encrypt",
    );
  }
  const mode = url.searchParams.get("sslmode");
  const authority = url.searchParams.get("sslrootcert");
  const ca = authority ? { ca: readAuthority(authority) } : {};
  switch (mode) {
    case null:
      return LOOPBACK.test(url.hostname) ? false : { rejectUnauthorized: true, ...ca };
    case "disable":
      return false;
    case "require":
      return { rejectUnauthorized: authority !== null, ...ca };
    case "verify-ca":
    case "verify-full":
      return { rejectUnauthorized: true, ...ca };
    default:
      throw new OperationError(
        "The database's URL: wanted sslmode=disable, require, verify-ca or verify-full",
      );
  }
}

function readAuthority(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    const why = error instanceof Error ? error.name : "error";
    throw new OperationError(`The database's URL: sslrootcert cannot be read (${why})`, {
      cause: error,
    });
  }
}
