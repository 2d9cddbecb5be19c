import { constants, verify, type X509Certificate } from "node:crypto";
import { ifValid } from "../../base/fault.ts";
import { HOUR, type UnixMillis } from "../../base/units.ts";
import { type HashName, readChain, type SigningDocument, type VendorInfo } from "./document.ts";
import type { CameraSigner } from "./finding.ts";
import type { SigningSei } from "./sei.ts";

const LIMITS = {
  /** That are remembered. */
  chains: 16,
  said: 1000,
  /** Of one stream. */
  signers: 100,
};

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
  readonly #known: readonly (readonly X509Certificate[])[];
  readonly signers = new Map<string, CameraSigner>();
  /** Chains that were read, by what was read: cameras show the same again and again. */
  readonly #read = new Map<string, readonly X509Certificate[]>();
  /** What was said of whom, by certificate and hour. */
  readonly #said = new Map<string, string | undefined>();
  /** With which the pictures are signed; the first that was trusted. */
  #chain: readonly X509Certificate[] | undefined;
  #vendor: VendorInfo | undefined;

  /** `known`: of cameras, which need not be in the stream. */
  constructor(trust: CameraTrust | undefined, known: readonly X509Certificate[]) {
    this.#trust = trust;
    this.#known = known.map((one) => [one]);
  }

  /** Takes the chain that a good message shows, for those that come without one. */
  check(sei: SigningSei, { chains, signature, group, vendor }: SigningDocument, name: HashName): CheckedSignature {
    if (signature === undefined) return { isGood: undefined };
    const shown = chains.map(({ isOfUser, pem }) => ({ isOfUser, chain: this.#chainOf(pem) }));
    const own = this.#chain === undefined ? [] : [this.#chain];
    const all = [...shown.map(({ chain }) => chain), ...own, ...this.#known];
    const chain = all.find(([leaf]) => leaf !== undefined && isSignedBy(sei.document, signature, leaf, name));
    if (chain === undefined) return { isGood: shown.length + own.length === 0 ? undefined : false };
    // A message about certificates is signed with the maker's, and may show the user's, with which the pictures are signed.
    const ofPictures = sei.isCertificate ? (shown.find(({ isOfUser }) => isOfUser)?.chain ?? chain) : chain;
    if (vendor !== undefined) this.#vendor = vendor;
    const distrust = group && this.#count(chain, group.to || group.from);
    if (distrust === undefined) this.#chain ??= ofPictures;
    return { isGood: true, distrust: distrust ?? this.#whyOther(ofPictures) };
  }

  /** Why the camera that signed is not the one that began. */
  #whyOther([leaf]: readonly X509Certificate[]): string | undefined {
    const isThis = ([one]: readonly X509Certificate[]): boolean => one?.fingerprint256 === leaf?.fingerprint256;
    return this.#chain === undefined || isThis(this.#chain) || this.#known.some(isThis)
      ? undefined
      : "signed by another certificate than what stands before it";
  }

  /** Empty where it makes no sense. */
  #chainOf(pem: Buffer): readonly X509Certificate[] {
    const text = pem.toString("latin1");
    const chain = this.#read.get(text) ?? ifValid(() => readChain(pem)) ?? [];
    if (this.#read.size >= LIMITS.chains) this.#read.clear();
    this.#read.set(text, chain);
    return chain;
  }

  /** Counts a good message of a signer. Returns why it is not trusted. */
  #count(chain: readonly X509Certificate[], at: UnixMillis): string | undefined {
    const [certificate] = chain;
    if (certificate === undefined) return undefined;
    const { fingerprint256 } = certificate;
    const signer = this.signers.get(fingerprint256) ?? { certificate, vendor: this.#vendor, groups: 0 };
    signer.groups += 1;
    if (this.signers.size < LIMITS.signers) this.signers.set(fingerprint256, signer);
    const key = `${fingerprint256} ${Math.floor(at / HOUR)}`;
    if (!this.#said.has(key)) {
      if (this.#said.size >= LIMITS.said) this.#said.clear();
      this.#said.set(key, this.#trust?.(chain, at));
    }
    return this.#said.get(key);
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
