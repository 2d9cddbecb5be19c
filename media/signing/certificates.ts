import { constants, type KeyObject, verify, type X509Certificate } from "node:crypto";
import { HOUR, type UnixMillis } from "../../base/units.ts";
import type { HashName, SigningDocument, VendorInfo } from "./document.ts";
import type { CameraSigner } from "./finding.ts";
import type { SigningSei } from "./sei.ts";
import { keyOf, ShownKeys, type SigningKey } from "./shown-keys.ts";

const LIMITS = {
  /** Answers that are remembered. */
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
  readonly #known: readonly SigningKey[];
  readonly signers = new Map<string, CameraSigner>();
  readonly #shown = new ShownKeys();
  /** What was said of whom, by certificate and hour. */
  readonly #said = new Map<string, string | undefined>();
  /** With which the pictures are signed; the first that was trusted, or, where nothing vouches for any, the first. */
  #own: SigningKey | undefined;
  #isOwnTrusted = false;
  #vendor: VendorInfo | undefined;

  /** `known`: of cameras, which need not be in the stream. */
  constructor(trust: CameraTrust | undefined, known: readonly X509Certificate[]) {
    this.#trust = trust;
    this.#known = known.map((one) => keyOf([one]));
  }

  /** Takes the key that a good message shows, for those that come without one. `at`: when the pictures were made that it is about; undefined: about none. */
  check(sei: SigningSei, document: SigningDocument, name: HashName, at: UnixMillis | undefined): CheckedSignature {
    const { signature, vendor } = document;
    if (signature === undefined) return { isGood: undefined };
    const shown = this.#shown.in(document, vendor ?? this.#vendor);
    const own = this.#own === undefined ? [] : [this.#own];
    const all = [...shown.map(({ key }) => key), ...own, ...this.#known];
    const key = all.find((one) => isSignedBy(sei.document, signature, one.key, name));
    if (key === undefined) return { isGood: shown.length + own.length === 0 ? undefined : false };
    // A message about certificates is signed with the maker's, and may show the user's, with which the pictures are signed.
    const ofPictures = sei.isCertificate ? (shown.find(({ isOfUser }) => isOfUser)?.key ?? key) : key;
    if (vendor !== undefined) this.#vendor = vendor;
    const said = at === undefined ? undefined : this.#count(key, at);
    const distrust = key.distrust ?? said;
    const isTrusted = distrust === undefined;
    if (!this.#isOwnTrusted && (isTrusted || (this.#own === undefined && key.chain.length === 0))) {
      this.#own = ofPictures;
      this.#isOwnTrusted = isTrusted;
    }
    const other = this.#whyOther(ofPictures);
    return { isGood: true, distrust: key.chain.length === 0 ? (other ?? distrust) : (distrust ?? other) };
  }

  /** Why the camera that signed is not the one that began. */
  #whyOther({ fingerprint, chain }: SigningKey): string | undefined {
    const isThis = (one: SigningKey): boolean => one.fingerprint === fingerprint;
    const what = chain.length === 0 ? "key" : "certificate";
    return this.#own === undefined || isThis(this.#own) || this.#known.some(isThis)
      ? undefined
      : `signed by another ${what} than what stands before it`;
  }

  /** Counts a good message of a signer. Returns why it is not trusted. */
  #count({ chain, fingerprint }: SigningKey, at: UnixMillis): string | undefined {
    const [certificate] = chain;
    const signer = this.signers.get(fingerprint) ?? { certificate, fingerprint, vendor: this.#vendor, groups: 0 };
    signer.groups += 1;
    if (this.signers.size < LIMITS.signers) this.signers.set(fingerprint, signer);
    if (certificate === undefined) return undefined;
    const key = `${fingerprint} ${Math.floor(at / HOUR)}`;
    if (!this.#said.has(key)) {
      if (this.#said.size >= LIMITS.said) this.#said.clear();
      this.#said.set(key, this.#trust?.(chain, at));
    }
    return this.#said.get(key);
  }
}

/** RSA is used with PSS by ONVIF's reference implementation, and without it by Axis'; the specification leaves it to the camera. */
function isSignedBy(document: Buffer, signature: Buffer, publicKey: KeyObject, name: HashName): boolean {
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
