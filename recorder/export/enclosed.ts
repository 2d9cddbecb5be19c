import type { X509Certificate } from "node:crypto";
import { ifValid } from "../../base/fault.ts";
import { pemsIn } from "../cms/chain.ts";
import { certificateOf } from "../signature.ts";
import { type ExportFiles, readSmall } from "./export-files.ts";
import { EXPORT_FILES } from "./manifest.ts";

/** The certificates beside the films of an export. Nothing of them is to be believed yet; what cannot be read is left out. */
export interface EnclosedCertificates {
  /** Of the key that signed the recordings. */
  readonly recorder: X509Certificate | undefined;
  /** Of the authorities behind the one that signed the export. */
  readonly authorities: readonly X509Certificate[];
  /** Of the key that signed the export, made by the key that signed the recordings. */
  readonly vouched: X509Certificate | undefined;
}

export async function enclosedIn(files: ExportFiles): Promise<EnclosedCertificates> {
  const all = async (name: string): Promise<readonly X509Certificate[]> => {
    const pem = (await readSmall(files, name))?.toString("latin1") ?? "";
    return pemsIn(pem).flatMap((one) => ifValid(() => certificateOf(one)) ?? []);
  };
  const [recorder] = await all(EXPORT_FILES.recorder);
  const [vouched] = await all(EXPORT_FILES.vouched);
  return { recorder, vouched, authorities: await all(EXPORT_FILES.authorities) };
}
