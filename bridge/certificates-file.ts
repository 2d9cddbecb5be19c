import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Fault } from "../base/fault.ts";

/** Certificates of one file; sites have one authority, or a few while they change it. */
const MAX_CERTIFICATES = 100;

/** As {@link readCaCertificates}, in one text for TLS (PEM). */
export async function readCa(file: string, setting: string): Promise<string> {
  return (await readCaCertificates(file, setting)).join("\n");
}

/** Reads the certificates of an authority of the site's own. Fault `invalid`, naming `setting`, where the file has none or cannot be read. */
export async function readCaCertificates(file: string, setting: string): Promise<readonly X509Certificate[]> {
  const refuse = (why: string, cause?: unknown): Fault => {
    const tell = `${setting}: ${file} ${why}`;
    return new Fault("invalid", tell, { tell, cause });
  };
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw refuse(`cannot be read: ${(cause as Error).message}`, cause);
  }
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw refuse("holds no certificate (PEM)");
  if (found.length > MAX_CERTIFICATES) throw refuse(`holds more than ${MAX_CERTIFICATES} certificates`);
  try {
    return found.map((pem) => new X509Certificate(pem));
  } catch (cause) {
    throw refuse("holds a certificate that cannot be read", cause);
  }
}
