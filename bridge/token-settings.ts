import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../base/fault.ts";
import { isThere, writeWhole } from "../base/whole-file.ts";
import type { TokenPlace } from "../keys/token/place.ts";
import { passwordIn } from "./password-file.ts";

/** The name of systemd's credential: `LoadCredentialEncrypted=viaduct-token-pin:/path`. */
const PIN_CREDENTIAL = "viaduct-token-pin";
/** In the data folder, while a PIN is tried, and until the token takes one. Nothing of the PIN is in it. */
const REFUSED_FILE = "token-pin-refused";

const label = z.string().min(1).max(32);

/** Where keys are that are not in the data folder. */
export const keysSchema = z
  .strictObject({
    token: z
      .strictObject({
        module: z
          .string()
          .min(1)
          .describe("The PKCS#11 library of the token's maker: `/usr/lib/x86_64-linux-gnu/pkcs11/yubihsm_pkcs11.so`."),
        name: label.describe("The label of the token."),
        key: label
          .default("viaduct-master")
          .describe("The label of the RSA key pair in it that opens the master key. Default: `viaduct-master`."),
        pinFile: z
          .string()
          .min(1)
          .optional()
          .describe(
            "File with the user's PIN, not readable by all. Without it, systemd's credential `viaduct-token-pin`.",
          ),
      })
      .optional()
      .describe(
        "A PKCS#11 token (HSM, smart card) for the master key, which it opens once `viaduct keys rotate --to-token` has put it there.",
      ),
  })
  .prefault({});

/** The token of the configuration; undefined where it names none. `tryPin`: a person wants a PIN to be tried after one was refused. */
export function tokenPlaceOf(
  { dataFolder, keys: { token } }: { readonly dataFolder: string; readonly keys: z.output<typeof keysSchema> },
  { tryPin = false }: { readonly tryPin?: boolean | undefined } = {},
): TokenPlace | undefined {
  if (token === undefined) return undefined;
  const { module, name, key, pinFile } = token;
  const file = join(dataFolder, REFUSED_FILE);
  return {
    module,
    name,
    key,
    tryPin,
    pin: () => {
      if (pinFile !== undefined) return passwordIn(pinFile, "keys.token.pinFile");
      const folder = process.env["CREDENTIALS_DIRECTORY"];
      if (folder !== undefined) return passwordIn(join(folder, PIN_CREDENTIAL), `systemd's credential`);
      const tell = `the PIN of token ${name} is not known: set keys.token.pinFile, or give systemd's credential ${PIN_CREDENTIAL}`;
      throw new Fault("unavailable", tell, { tell });
    },
    refusals: {
      some: () => isThere(file),
      async remember() {
        // Before the bridge has run, nothing starts it again and again; and the folder is not ours to make.
        if (await isThere(dataFolder)) await writeWhole(file, "");
      },
      forget: () => rm(file, { force: true }),
    },
  };
}
