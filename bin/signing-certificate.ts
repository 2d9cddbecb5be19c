import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { writeNew } from "../base/whole-file.ts";
import { recordingsOf } from "../bridge/settings.ts";
import { SIGNING } from "../bridge/signing.ts";
import { installCertificate, requestCertificate, type Signing } from "../bridge/signing-certificate.ts";
import { CATALOG_FILE } from "../recorder/archive-settings.ts";
import { Catalog } from "../recorder/catalog.ts";
import { diskFiles } from "../recorder/files.ts";
import type { DataOptions } from "./data.ts";
import { readPem, withFolder } from "./keys.ts";

const LIMITS = {
  /** Of a file with a chain of certificates. */
  chainBytes: 256 * 1024,
};

interface ForOptions extends DataOptions {
  readonly for: Signing;
}

export interface RequestOptions extends ForOptions {
  readonly name: string;
  readonly out: string;
}

export interface CertificateOptions extends ForOptions {
  readonly chain: string;
}

/** Writes what an authority makes a certificate from. The key does not leave the machine. */
export async function requestSigningCertificate(options: RequestOptions): Promise<void> {
  const { for: of, name, out } = options;
  await withFolder(options, async (folder) => {
    await writeNew(out, await requestCertificate(folder, { of, name, clock: systemClock }));
    const back = of === "recordings" ? "" : ` --for ${of}`;
    process.stdout.write(
      `The request is in ${out}. Have the authority make a certificate for signing documents from it, and give that to \`viaduct keys certificate${back}\`.\n`,
    );
  });
}

/** Takes the certificate that an authority has made. */
export async function takeSigningCertificate(options: CertificateOptions): Promise<void> {
  const { for: of } = options;
  const pem = await readPem(options.chain);
  if (pem.length > LIMITS.chainBytes) {
    const tell = `${options.chain} is too large for a chain of certificates`;
    throw new Fault("invalid", tell, { tell });
  }
  await withFolder(options, async (folder, settings) => {
    if (of === "recordings") await assertSealed(recordingsOf(settings));
    const before = await installCertificate(folder, pem.toString("utf8"), { of, now: systemClock.now() });
    const kept =
      before === undefined ? "" : ` The one before is kept as ${before}: ${of} until now are verified with it.`;
    const what = of === "recordings" ? "Recordings" : "Exports";
    process.stdout.write(
      `${what} carry the certificate in ${folder.file(SIGNING[of].file)} from the next start on.${kept} Give it, or that of the authority, to whoever will judge them.\n`,
    );
  });
}

/** What broke off is signed at the next start: under a certificate that was not there yet when it was recorded, `--ca` would never trust it. */
async function assertSealed(recordings: string): Promise<void> {
  const file = `${recordings}/${CATALOG_FILE}`;
  // Opening would make an empty one.
  if (!(await diskFiles.exists(file))) return;
  const catalog = await Catalog.open(file);
  try {
    const [first, ...others] = await catalog.opened();
    if (first === undefined) return;
    const which = `${first.file}${others.length === 0 ? "" : ` and ${others.length} more`}`;
    const tell = `the certificate is not taken: ${which} broke off, and would be signed under it. Start the bridge once and stop it, so that it is signed under the one of now. Nothing was changed`;
    throw new Fault("wrong-state", tell, { tell });
  } finally {
    await catalog.close();
  }
}
