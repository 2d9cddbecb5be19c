import { type Command, Option } from "commander";
import { passphraseFd } from "../options.ts";

/** The commands for the keys of recordings. */
export function addKeysCommands(program: Command): void {
  const keys = program.command("keys").description("the keys of recordings, while the bridge is stopped");
  keys
    .command("status")
    .description("say which keys there are, and who can open them")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .option("--json", "print JSON")
    .action(async (options: import("../data.ts").DataOptions) => (await import("../keys.ts")).keysStatus(options));
  keys
    .command("rotate")
    .description("make a new master key; recordings are not touched")
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(passphraseFd())
    .option("--to-passphrase", "put it under a passphrase, which is asked for at every start")
    .option("--to-file", "put it in master.key without a passphrase")
    .option("--to-token", "encrypt it for the key in the PKCS#11 token of the configuration (keys.token)")
    .option("--new-passphrase-fd <number>", "read the new passphrase from this file descriptor")
    .addHelpText("after", "\nExample:\n  viaduct keys rotate --config viaduct.yaml --to-passphrase")
    .action(async (options: import("../keys.ts").RotateOptions) => (await import("../keys.ts")).rotateKeys(options));
  keys
    .command("token")
    .description(
      "say whether the PKCS#11 token of the configuration can keep the master key; nothing of the bridge is changed",
    )
    .requiredOption("--config <file>", "configuration, YAML")
    .option("--make", "make the key pair in the token, which never leaves it")
    .option("--try-pin", "try the PIN although one was refused before")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExample:\n  viaduct keys token --config viaduct.yaml --make\n  viaduct keys rotate --config viaduct.yaml --to-token",
    )
    .action(async (options: import("../token-key.ts").TokenKeyOptions) =>
      (await import("../token-key.ts")).tokenKey(options),
    );
  keys
    .command("recovery")
    .description("make a recovery key, which opens all recordings should the master key be lost")
    .requiredOption("--config <file>", "configuration, YAML")
    .requiredOption("--out <file>", "where its private half goes; it must not exist")
    .addOption(passphraseFd())
    .action(async (options: import("../data.ts").DataOptions & { out: string }) =>
      (await import("../keys.ts")).makeRecoveryKey(options),
    );
  keys
    .command("write-only")
    .description("let this machine record what it cannot play: whoever takes it sees nothing")
    .requiredOption("--config <file>", "configuration, YAML")
    .option("--out <file>", "where the private key goes; it must not exist")
    .option("--off", "let it play again what it records from now on")
    .addOption(passphraseFd())
    .action(async (options: import("../data.ts").DataOptions & { out?: string; off?: boolean }) =>
      (await import("../keys.ts")).writeOnly(options),
    );
  keys
    .command("restore")
    .description("open data keys with the private key of `recovery` or `write-only`, and put them under the master key")
    .requiredOption("--config <file>", "configuration, YAML")
    .requiredOption("--private-key <file>", "PEM")
    .option(
      "--lost-master",
      "make a new master key: the old one is lost, and with it camera passwords and account secrets",
    )
    .addOption(passphraseFd())
    .action(async (options: import("../data.ts").DataOptions & { privateKey: string; lostMaster?: boolean }) =>
      (await import("../keys.ts")).restoreKeys(options),
    );
  keys
    .command("request")
    .description(
      "ask an authority of yours for a certificate of the key that signs recordings or exports; the key stays here",
    )
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(signing())
    .requiredOption("--name <name>", "whom the certificate names: CN=Recordings of the harbour,O=Example")
    .requiredOption("--out <file>", "where the request goes (PKCS #10, PEM); it must not exist")
    .addOption(passphraseFd())
    .addHelpText(
      "after",
      `
The key of recordings is Ed25519: the authority must know that (OpenSSL does; Active Directory Certificate Services does not). That of
exports is RSA, which every authority knows. It may say that the
certificate is for digital signatures, and for signing documents (RFC 9336), and nothing else.

Example:
  viaduct keys request --config viaduct.yaml --name "CN=Recordings of the harbour,O=Example" --out recordings.csr`,
    )
    .action(async (options: import("../signing-certificate.ts").RequestOptions) =>
      (await import("../signing-certificate.ts")).requestSigningCertificate(options),
    );
  keys
    .command("certificate")
    .description(
      "take the certificate that an authority has made from the request: recordings or exports carry it from then on",
    )
    .requiredOption("--config <file>", "configuration, YAML")
    .addOption(signing())
    .requiredOption("--chain <file>", "the certificate, and behind it those of the authorities up to the root (PEM)")
    .addOption(passphraseFd())
    .addHelpText(
      "after",
      `
It is refused where it is of another key, not for signing, not valid now, or where one of the certificates did not issue the one before
it; and while a recording that broke off waits for the next start to be signed. Recordings of before keep theirs, which is kept as evidence-cert.<date>.pem.

Example:
  viaduct keys certificate --config viaduct.yaml --chain recordings.pem`,
    )
    .action(async (options: import("../signing-certificate.ts").CertificateOptions) =>
      (await import("../signing-certificate.ts")).takeSigningCertificate(options),
    );
}

function signing(): Option {
  return new Option("--for <what>", "which key").choices(["recordings", "exports"]).default("recordings");
}
