import { KEY_BYTES } from "../base/named_key.ts";
import { generateVaultKeys } from "../vault/suite.ts";
import { type Command, exit } from "./command.ts";

/** `maskline keygen` */
export const keygen: Command = {
  usage: "keygen",
  help: `
Generates a mask key and a key pair for the vault, and prints them as lines of an env file. The worker needs
the first two. VAULT_PRIVATE_KEY opens the vault: store it on another machine than the worker's.

  umask 077
  maskline keygen > keys.env
  grep -v VAULT_PRIVATE_KEY keys.env > maskline.env`,
  async run(io) {
    const maskKey = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
    const { publicKey, privateKey } = await generateVaultKeys();
    io.out(
      `MASK_KEY=k1:${maskKey.toBase64()}\n` +
        `VAULT_PUBLIC_KEY=v1:${publicKey.toBase64()}\n` +
        `VAULT_PRIVATE_KEY=v1:${privateKey.toBase64()}\n`,
    );
    return exit.done;
  },
};
