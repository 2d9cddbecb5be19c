import { constants, verify, type X509Certificate } from "node:crypto";
import type { UnixMillis } from "../../base/units.ts";
import type { HashName, SigningDocument, VendorInfo } from "./document.ts";
import type { CameraSigner } from "./finding.ts";
import type { SigningSei } from "./sei.ts";

/** Whether a chain of certificates is that of a camera, at the time that it signed: undefined, or why not. The first one signed. */
export type CameraTrust = (chain: readonly X509Certificate[], at: UnixMillis) => string | undefined;

/** What is known of the signature of one message. */
export interface CheckedSignature {
  /** Undefined where there is no certificate to check it with. */
  readonly isGood: boolean | undefined;
  /** Why who signed is not trusted. */
  readonly distrust?: string | undefined;
}

/** The certificates that a camera shows in its stream, and what is signed with them. */
export class CameraCertificates {
  readonly #trust: CameraTrust | undefined;
  readonly #known: readonly X509Certificate[];
  readonly signers = new Map<string, CameraSigner>();
  #chain: readonly X509Certificate[] | undefined;
  #vendor: VendorInfo | undefined;

  /** `known`: of cameras, which need not be in the stream. */
  constructor(trust: CameraTrust | undefined, known: readonly X509Certificate[]) {
    this.#trust = trust;
    this.#known = known;
  }

  /** Takes the chain that a good message shows, for those that come without one. */
  check(sei: SigningSei, document: SigningDocument, name: HashName): CheckedSignature {
    const { chains, signature, group, vendor } = document;
    if (signature === undefined) return { isGood: undefined };
    const isGoodBy = ([leaf]: readonly X509Certificate[]): boolean =>
      leaf !== undefined && isSignedBy(sei.document, signature, leaf, name);
    const shown = chains.map(({ certificates }) => certificates);
    const chain = [
      ...shown,
      ...(this.#chain === undefined ? [] : [this.#chain]),
      ...this.#known.map((one) => [one]),
    ].find(isGoodBy);
    if (chain === undefined) return { isGood: shown.length === 0 && this.#chain === undefined ? undefined : false };
    // A message about certificates is signed with the maker's, and may show the user's, with which the pictures are signed.
    const ofPictures = sei.isCertificate ? (chains.find(({ isOfUser }) => isOfUser)?.certificates ?? chain) : chain;
    if (vendor !== undefined) this.#vendor = vendor;
    const distrust = group && this.#count(chain, group.to || group.from);
    if (distrust === undefined) this.#chain ??= ofPictures;
    return { isGood: true, distrust: distrust ?? this.#whyOther(ofPictures) };
  }

  /** Why the camera that signed is not the one that began. */
  #whyOther([leaf]: readonly X509Certificate[]): string | undefined {
    const fingerprint = leaf?.fingerprint256;
    const isSame = this.#chain?.[0]?.fingerprint256 === fingerprint;
    return isSame || this.#known.some(({ fingerprint256 }) => fingerprint256 === fingerprint)
      ? undefined
      : "signed by another certificate than what stands before it";
  }

  /** Counts a good message of a signer. Returns why it is not trusted. */
  #count(chain: readonly X509Certificate[], at: UnixMillis): string | undefined {
    const [certificate] = chain;
    if (certificate === undefined) return undefined;
    const signer = this.signers.get(certificate.fingerprint256) ?? { certificate, vendor: this.#vendor, groups: 0 };
    signer.groups += 1;
    this.signers.set(certificate.fingerprint256, signer);
    return this.#trust?.(chain, at);
  }
}

/** RSA is used with PSS by the reference implementation; the specification leaves it to the camera. */
function isSignedBy(document: Buffer, signature: Buffer, { publicKey }: X509Certificate, name: HashName): boolean {
  try {
    if (publicKey.asymmetricKeyType !== "rsa") return verify(name, document, publicKey, signature);
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const saltLength = constants.RSA_PSS_SALTLEN_AUTO;
    return (
      verify(name, document, { key: publicKey, padding, saltLength }, signature) ||
      verify(name, document, publicKey, signature)
    );
  } catch {
    // A key of a kind that signs nothing, or with other parameters.
    return false;
  }
}
