import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { readConfig } from "../base/config.ts";
import { Fault } from "../base/fault.ts";
import { type Settings, settingsSchema } from "../bridge/settings.ts";

/** The settings that name a file or a folder; `[]` stands for each of a list. */
export const PATHS = [
  "dataFolder",
  "cameraSide.ca",
  "clientSide.notifications.ca",
  "recording.folder",
  "recording.volumes[].folder",
  "recording.timeStamps.ca",
  "recording.timeStamps.serverCa",
  "recording.timeStamps.login.passwordFile",
  "keys.token.module",
  "keys.token.pinFile",
  "audit.forward[].ca",
  "exports.folder",
  "directory[].ca",
  "directory[].passwordFile",
  "kerberos.keytab",
  "clientSide.clientCertificates.authorities[].ca",
  "clientSide.clientCertificates.authorities[].crl",
  "jwt.issuers[].keysFile",
  "jwt.issuers[].ca",
  "mail.ca",
  "mail.passwordFile",
  "sms.secretFile",
  "sms.ca",
] as const;

/** Reads a configuration file, `-` for standard input; paths in it are relative to the file. `invalid` lists every mistake with its line. */
export async function readSettings(file: string): Promise<Settings> {
  const piped = file === "-";
  const name = piped ? "standard input" : file;
  let text: string;
  try {
    text = piped ? await textOf(process.stdin) : await readFile(file, "utf8");
  } catch (cause) {
    const tell = `cannot read ${name}: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
  const from = dirname(resolve(file));
  const settings = readConfig(text, settingsSchema, name);
  return PATHS.reduce(
    (all, path) => resolved(all, path.replaceAll("[]", ".[]").split("."), from) as Settings,
    settings,
  );
}

/** `value` with what is at the end of the path, where there is anything, found from the folder of the configuration file. */
function resolved(value: unknown, [name, ...rest]: readonly string[], from: string): unknown {
  if (value === undefined) return undefined;
  if (name === undefined) return resolve(from, value as string);
  if (name === "[]") return (value as readonly unknown[]).map((one) => resolved(one, rest, from));
  const object = value as Readonly<Record<string, unknown>>;
  return object[name] === undefined ? object : { ...object, [name]: resolved(object[name], rest, from) };
}
