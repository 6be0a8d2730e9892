/** TLS as the driver takes it: off, or on with or without a verified certificate. */
export type Tls = false | { readonly rejectUnauthorized: boolean; readonly ca?: string };

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * How to speak TLS to the database of a URL. Without `sslmode` the certificate is verified, unless the
 * host is loopback, where there is no network to listen on. `sslmode` means what libpq says: `disable`
 * (none), `require` (encrypted, unverified), `verify-ca` and `verify-full` (verified); `sslrootcert`
 * names a file with the authority's certificate.
 *
 * @throws {RangeError} another `sslmode`: `allow` and `prefer` fall back to clear text silently
 */
export function tlsOf(url: URL): Tls {
  const mode = url.searchParams.get("sslmode");
  const authority = url.searchParams.get("sslrootcert");
  const ca = authority ? { ca: Deno.readTextFileSync(authority) } : {};
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
      throw new RangeError(
        "DATABASE_URL: wanted sslmode=disable, require, verify-ca or verify-full",
      );
  }
}
