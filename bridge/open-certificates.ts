import type { X509Certificate } from "node:crypto";
import { open, stat } from "node:fs/promises";
import { CertificateLogIns, type CertificateLogInsParts } from "../auth/certificate/certificate-log-ins.ts";
import { LIST_BYTES } from "../auth/certificate/revocation-list.ts";
import { type RevocationFile, Revocations } from "../auth/certificate/revocations.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { asFault, Fault } from "../base/fault.ts";
import { type Log, silentLog } from "../base/log.ts";
import { readCaCertificates } from "./certificates-file.ts";
import type { CertificateAuthoritySettings } from "./client-certificate-settings.ts";
import type { Settings } from "./settings.ts";

type Authorities = {
  readonly clientSide: { readonly clientCertificates: Settings["clientSide"]["clientCertificates"] };
};

/** Log-ins by certificates of the authorities that are listed; undefined where none is. Fault `invalid`, naming the setting, where a file is of no use. */
export async function openCertificates(
  { clientSide }: Authorities,
  o: CertificateLogInsParts & { readonly log: Log },
): Promise<CertificateLogIns | undefined> {
  const { authorities } = clientSide.clientCertificates;
  if (authorities.length === 0) return undefined;
  const opened: Awaited<ReturnType<typeof openAuthority>>[] = [];
  try {
    for (const settings of authorities) opened.push(await openAuthority(settings, o));
  } catch (error) {
    for (const { revocations } of opened) await revocations?.close();
    throw error;
  }
  return new CertificateLogIns(opened, o);
}

/** Reads the files that are named. Fault as for {@link openCertificates}. */
export async function checkCertificates({ clientSide }: Authorities): Promise<void> {
  for (const settings of clientSide.clientCertificates.authorities)
    await (await openAuthority(settings, { clock: systemClock, log: silentLog() })).revocations?.close();
}

async function openAuthority(
  { ca, crl, accounts, interfaces, ...rest }: CertificateAuthoritySettings,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
) {
  const setting = `clientSide.clientCertificates.authorities, ${rest.name}`;
  const certificates = await readCaCertificates(ca, `${setting}, ca`);
  if (!certificates.every((one) => one.ca))
    throw refused(`${setting}, ca: ${ca} has a certificate that is not of an authority`);
  const authority = {
    ...rest,
    certificates,
    accounts: accounts === undefined ? undefined : new Map(Object.entries(accounts)),
    interfaces: new Set(interfaces),
  };
  if (crl === undefined) return { ...authority, revocations: undefined };
  // A list says nothing of what others have issued: theirs would pass as not revoked.
  if (new Set(certificates.map(holderOf)).size > 1)
    throw refused(
      `${setting}, ca: ${ca} has certificates of several authorities or keys, and crl is the list of one: list each of them by itself`,
    );
  const revocations = new Revocations({ authority: rest.name, file: fileAt(crl), certificates, clock, log });
  try {
    await revocations.refresh();
  } catch (cause) {
    await revocations.close();
    const fault = asFault(cause);
    throw refused(`${setting}, crl: ${crl}: ${fault.tell ?? (cause as Error).message}`, cause);
  }
  return { ...authority, revocations };
}

function holderOf({ subject, publicKey }: X509Certificate): string {
  return `${subject} ${publicKey.export({ format: "der", type: "spki" }).toString("hex")}`;
}

/** At most one byte more than is taken is read. */
function fileAt(path: string): RevocationFile {
  return {
    async version() {
      const { mtimeMs, size, ino } = await stat(path);
      return `${mtimeMs} ${size} ${ino}`;
    },
    async read() {
      await using handle = await open(path, "r");
      const { size } = await handle.stat();
      const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(Math.min(size, LIST_BYTES + 1)) });
      return buffer.subarray(0, bytesRead);
    },
  };
}

function refused(tell: string, cause?: unknown): Fault {
  return new Fault("invalid", tell, { tell, cause });
}
