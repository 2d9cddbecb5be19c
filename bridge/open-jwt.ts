import { open } from "node:fs/promises";
import { IssuerKeys } from "../auth/jwt/issuer-keys.ts";
import { JwtLogIns, type JwtLogInsParts } from "../auth/jwt/jwt-log-ins.ts";
import { KEY_SET_BYTES, readKeySet } from "../auth/jwt/key-set.ts";
import { Fault, isFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import { HOUR, SECOND } from "../base/units.ts";
import { readCa } from "./certificates-file.ts";
import { fetchPublishedKeys } from "./client-side/published-keys.ts";
import type { JwtIssuerSettings } from "./jwt-settings.ts";
import type { Settings } from "./settings.ts";

type Loading = (signal: AbortSignal) => Promise<string>;

/**
 * Log-ins by tokens of the issuers that are listed; undefined where none is. Keys of a file must be there now, Fault `invalid` otherwise;
 * those that are published are fetched meanwhile, and an issuer that is down holds nothing up.
 */
export async function openJwt(
  { jwt, cameraSide }: Pick<Settings, "jwt" | "cameraSide">,
  o: JwtLogInsParts & { readonly log: Log },
): Promise<JwtLogIns | undefined> {
  if (jwt.issuers.length === 0) return undefined;
  const issuers: ConstructorParameters<typeof JwtLogIns>[0][number][] = [];
  try {
    for (const issuer of jwt.issuers) {
      const load = await loadingOf(issuer, cameraSide.interfaces, o);
      const keys = new IssuerKeys({ issuer: issuer.name, load, clock: o.clock, log: o.log });
      issuers.push({ ...rulesOf(issuer), keys });
      const reading = keys.refresh();
      // The next look at them says why, where that goes wrong.
      if (issuer.keysFile === undefined) reading.catch(() => undefined);
      else await reading;
    }
  } catch (error) {
    for (const { keys } of issuers) void keys.close();
    throw error;
  }
  return new JwtLogIns(issuers, o);
}

function rulesOf(settings: JwtIssuerSettings) {
  const { name, issuer, audiences, algorithms, notBefore, claim, accounts, interfaces, asksForFactor } = settings;
  return {
    name,
    rules: {
      issuer,
      audiences,
      algorithms,
      notBefore,
      toleranceMs: settings.toleranceSeconds * SECOND,
      longestMs: settings.longestHours * HOUR,
    },
    claim,
    accounts: accounts === undefined ? undefined : new Map(Object.entries(accounts)),
    interfaces: new Set(interfaces),
    asksForFactor,
  };
}

/** Where an issuer's keys come from. Fault `invalid`: its `ca` cannot be read. */
async function loadingOf(
  { name, keysFile, keysUrl = "", ca }: JwtIssuerSettings,
  cameraInterfaces: readonly string[],
  { clock }: Pick<JwtLogInsParts, "clock">,
): Promise<Loading> {
  if (keysFile !== undefined) return () => readKeysFile(keysFile, settingOf(name));
  const authority = ca === undefined ? undefined : await readCa(ca, `jwt.issuers, ${name}, ca`);
  return (signal) => fetchPublishedKeys({ url: keysUrl, ca: authority, cameraInterfaces, clock, signal });
}

/** Reads the files with keys that are named. Fault `invalid`, naming the setting, where one is of no use. */
export async function checkKeysFiles({ jwt }: Pick<Settings, "jwt">): Promise<void> {
  for (const { name, keysFile } of jwt.issuers)
    if (keysFile !== undefined) await readKeysFile(keysFile, settingOf(name));
}

function settingOf(issuer: string): string {
  return `jwt.issuers, ${issuer}, keysFile`;
}

/** A JWKS, at most one byte more than is taken. Fault `invalid`, naming `setting`. */
async function readKeysFile(file: string, setting: string): Promise<string> {
  const refuse = (why: string, cause: unknown): Fault => {
    const tell = `${setting}: ${file} ${why}`;
    return new Fault("invalid", tell, { tell, cause });
  };
  try {
    await using handle = await open(file, "r");
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(KEY_SET_BYTES + 1) });
    const text = buffer.toString("utf8", 0, bytesRead);
    readKeySet(text);
    return text;
  } catch (cause) {
    throw isFault(cause, "invalid")
      ? refuse(cause.message, cause)
      : refuse(`cannot be read: ${(cause as Error).message}`, cause);
  }
}
