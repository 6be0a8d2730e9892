import { unprivilegedUser } from "./unprivileged_user.ts";

/** Files of a test's own certificate authority and of a server whose certificate it signed. */
export interface Certificates extends AsyncDisposable {
  /** The authority's certificate. */
  readonly authority: string;
  /** The certificate of another authority, which signed no server's certificate. */
  readonly stranger: string;
  /** Postgres settings for the server's certificate, which is valid only for `localhost`. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Whether this machine has the program that creates certificates. */
export async function hasOpenssl(): Promise<boolean> {
  try {
    return (await new Deno.Command("openssl", { args: ["version"] }).output()).success;
  } catch {
    return false;
  }
}

/** Creates certificates that are valid for a day. @throws {Error} openssl failed, with its output */
export async function createCertificates(): Promise<Certificates> {
  const directory = await Deno.makeTempDir({ prefix: "maskline-tls-" });
  // Postgres can run as another user, who must be able to open the directory.
  await Deno.chmod(directory, 0o755);
  const openssl = async (line: string) => {
    const args = line.split(" ");
    const { success, stderr } = await new Deno.Command("openssl", { args, cwd: directory })
      .output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  };
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
  for (const name of ["authority", "stranger"]) {
    await openssl(
      `req -x509 ${key} -days 1 -subj /CN=${name} -keyout ${name}.key -out ${name}.crt`,
    );
  }
  const name = "-addext subjectAltName=DNS:localhost";
  await openssl(`req ${key} -subj /CN=localhost ${name} -keyout server.key -out server.csr`);
  await openssl(
    "x509 -req -days 1 -in server.csr -CA authority.crt -CAkey authority.key -CAcreateserial " +
      "-copy_extensions copy -out server.crt",
  );
  const { uid = null, gid = null } = await unprivilegedUser();
  await Deno.chmod(`${directory}/server.key`, 0o600);
  if (uid !== null) await Deno.chown(`${directory}/server.key`, uid, gid);
  return {
    authority: `${directory}/authority.crt`,
    stranger: `${directory}/stranger.crt`,
    settings: {
      ssl: "on",
      ssl_cert_file: `${directory}/server.crt`,
      ssl_key_file: `${directory}/server.key`,
    },
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}
