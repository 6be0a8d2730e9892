import { generateVaultKeys } from "../vault/suite.ts";
import { type Command, exit } from "./command.ts";

/** `maskline keygen` */
export const keygen: Command = {
  usage: "keygen",
  help: `
Prints a new mask key and a new vault key pair, a line each, as an env file takes them. The worker needs
the first two; VAULT_PRIVATE_KEY opens the vault and belongs somewhere else, away from the worker.

  umask 077; maskline keygen > maskline.env`,
  async run(io) {
    const maskKey = crypto.getRandomValues(new Uint8Array(32));
    const { publicKey, privateKey } = await generateVaultKeys();
    io.out(
      `MASK_KEY=k1:${maskKey.toBase64()}\n` +
        `VAULT_PUBLIC_KEY=v1:${publicKey.toBase64()}\n` +
        `VAULT_PRIVATE_KEY=v1:${privateKey.toBase64()}\n`,
    );
    return exit.done;
  },
};
