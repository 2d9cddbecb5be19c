import { Fault } from "../base/fault.ts";
import { printed } from "../base/printed.ts";
import { tokenPlaceOf } from "../bridge/token-settings.ts";
import { decryptsBy, findKey, makeKey } from "../keys/token/key.ts";
import { withToken } from "../keys/token/with-token.ts";
import type { DataOptions } from "./data.ts";
import { readSettings } from "./settings-file.ts";

export interface TokenKeyOptions extends Pick<DataOptions, "config"> {
  readonly make?: boolean;
  readonly tryPin?: boolean;
  readonly json?: boolean;
}

/** Looks whether the token of the configuration can keep the master key; makes the key pair in it where that is wanted. */
export async function tokenKey({ config, make, tryPin, json }: TokenKeyOptions): Promise<void> {
  const place = tokenPlaceOf(await readSettings(config), { tryPin });
  if (place === undefined) {
    const tell = `${config} names no token: set keys.token (guide: Encrypted recordings and their keys)`;
    throw new Fault("invalid", tell, { tell });
  }
  const found = await withToken(place, (session) => {
    if (make === true) {
      if (findKey(session) !== undefined) {
        const tell = `token ${place.name} has an RSA key ${place.key} already, which is kept; nothing was changed`;
        throw new Fault("wrong-state", tell, { tell });
      }
      makeKey(session);
    }
    const { manufacturerID, model, serialNumber } = session.token.C_GetTokenInfo(session.slot);
    const key = findKey(session);
    return {
      token: place.name,
      maker: manufacturerID.trimEnd(),
      model: model.trimEnd(),
      serial: serialNumber.trimEnd(),
      key: key && {
        name: place.key,
        bits: key.bits,
        fingerprint: key.fingerprint,
        stays: key.stays,
        oaep: decryptsBy(key) ?? null,
      },
    };
  });
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ ...found, key: found.key ?? null }, undefined, 2)}\n`);
    return;
  }
  const { token, maker, model, serial, key } = found;
  const lines = [`token:  ${printed(`${token}, ${maker}, ${model}, ${serial}`)}; it takes the PIN`];
  if (key === undefined) lines.push(`key:    none called ${place.key}: make it by \`viaduct keys token --make\``);
  else {
    const [stays, oaep] = [
      key.stays ? "never leaves the token" : "CAN LEAVE THE TOKEN: it is not used",
      key.oaep === null ? "does NOT DECRYPT by RSA-OAEP: it cannot be used" : `decrypts by RSA-OAEP with ${key.oaep}`,
    ];
    lines.push(`key:    ${key.name}, RSA ${key.bits}, ${stays}, ${oaep}`, `        ${key.fingerprint}`);
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}
