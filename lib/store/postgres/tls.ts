import { OperationError } from "../../base/errors.ts";

/** TLS as the driver expects it: off, or on with or without a verified certificate. */
export type Tls = false | { readonly rejectUnauthorized: boolean; readonly ca?: string };

/** The driver reads these from the query and would ignore the host for which TLS is decided here. */
const CONFLICTING_PARAMETERS = ["host", "hostaddr", "port", "ssl"];

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Decides how to use TLS for the database of a URL. Without `sslmode` the certificate is verified, unless the
 * host is loopback, where there is no network. `sslmode` has libpq's meanings: `disable` (no TLS), `require`
 * (encrypted, unverified), `verify-ca` and `verify-full` (verified). `sslrootcert` names a file with the
 * authority's certificate.
 *
 * @throws {OperationError} another `sslmode`, because `allow` and `prefer` fall back to clear text silently; a
 * query that names another host or its own `ssl`, which would do the same; a certificate that cannot be read
 */
export function resolveTls(url: URL): Tls {
  const elsewhere = CONFLICTING_PARAMETERS.find((name) => url.searchParams.has(name));
  if (elsewhere) {
    throw new OperationError(
      `expected no ${elsewhere} in the query; give host and port before it, and use ` +
        "sslmode for encryption",
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
        "expected sslmode=disable, require, verify-ca or verify-full",
      );
  }
}

function readAuthority(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    const why = error instanceof Error ? error.name : "error";
    throw new OperationError(`sslrootcert: expected a readable file, got ${why}`, {
      cause: error,
    });
  }
}
