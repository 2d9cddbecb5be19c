import type { X509Certificate } from "node:crypto";
import { ifValid } from "../../base/fault.ts";
import { type UnixMillis, unixMillis } from "../../base/units.ts";
import { lengthPrefixed } from "../nal.ts";
import type { NalCodec } from "../nal-codec.ts";
import { readAxisDocument } from "./axis-document.ts";
import { OlderStatements } from "./axis-older.ts";
import { CameraCertificates, type CameraTrust } from "./certificates.ts";
import { type HashName, readDocument, type SigningDocument } from "./document.ts";
import type { CameraFinding, CameraSigner } from "./finding.ts";
import { GroupJudge } from "./group-judge.ts";
import type { SigningScheme } from "./scheme.ts";
import { readSigningSei, signingSchemeOf, withoutZeros } from "./sei.ts";
import { hashesOf, type SignedUnit, sliceOf } from "./units.ts";

const LIMITS = {
  /** Units that are hashed before anything tells that the camera signs: some twenty seconds. */
  hashed: 600,
};

/** When a sample is shown, in microseconds since 1970, and what is known of it. */
export interface PictureTime {
  readonly fromUs: number;
  readonly toUs: number;
  /** Something was lost, or not recorded, right before it. */
  readonly isAfterLoss: boolean;
}

/** What a stream's own signatures come to. */
export interface CameraResult {
  /** In the order of their times. */
  readonly findings: readonly CameraFinding[];
  readonly signers: readonly CameraSigner[];
  /** Formats of signatures that are in it. */
  readonly schemes: ReadonlySet<SigningScheme>;
}

/**
 * Compares the pictures of one stream, in the order in which they were recorded, with what its camera has signed itself (ONVIF Media
 * Signing, Axis Signed Video). Pictures may end and begin anywhere: of a group whose signature is not there, it says that it cannot tell. Foreign bytes lead to
 * findings, and to nothing else.
 */
export class CameraVerifier {
  readonly #codec: NalCodec;
  readonly #certificates: CameraCertificates;
  readonly #judge = new GroupJudge();
  readonly #older = new OlderStatements();
  readonly #schemes = new Set<SigningScheme>();
  #hashName: HashName | undefined;
  #anchor: SignedUnit | undefined;
  #hashed = 0;
  #order = 0;

  /** `trust`: whose signatures are taken; absent: anybody's. `known`: certificates of cameras that need not be in the stream. */
  constructor(
    codec: NalCodec,
    o: { readonly trust?: CameraTrust | undefined; readonly known?: readonly X509Certificate[] } = {},
  ) {
    this.#codec = codec;
    this.#certificates = new CameraCertificates(o.trust, o.known ?? []);
  }

  /** One sample, each NAL unit behind its length. Fault `invalid` where these make no sense. */
  picture(data: Buffer, time: PictureTime): void {
    // Before the first one, nothing can be missing.
    if (time.isAfterLoss && this.#order > 0) this.#judge.lost(this.#order);
    for (const nal of lengthPrefixed(data)) this.#unit(nal, time);
  }

  #unit(nal: Buffer, time: PictureTime): void {
    const slice = sliceOf(nal, this.#codec);
    if (slice !== undefined) {
      const unit = this.#added({ ...slice, hashes: this.#hash(withoutZeros(nal)), held: undefined }, time);
      if (unit.isStart) this.#anchor = unit;
      return;
    }
    const scheme = signingSchemeOf(nal, this.#codec);
    if (scheme === undefined) return;
    this.#schemes.add(scheme);
    this.#message(nal, time);
  }

  #message(nal: Buffer, time: PictureTime): void {
    const found = ifValid(() => {
      const sei = readSigningSei(nal, this.#codec);
      return {
        sei,
        document: sei.scheme === "axis-signed-video" ? readAxisDocument(sei.tags) : readDocument(sei.tags),
      };
    });
    if (found === undefined) return;
    const { sei, document } = found;
    this.#hashName ??= sei.isOlder ? "sha256" : document.hashName;
    const name = this.#hashName ?? "sha256";
    const isSigned = document.signature !== undefined;
    const checked = this.#certificates.check(sei, document, name, madeAt(document, time));
    const { group, hashes, unclear } = sei.isOlder ? this.#older.complete(document, checked.isGood) : document;
    const held: CameraFinding[] = [];
    if (group !== undefined && !sei.isCertificate)
      this.#judge.statement({
        ...group,
        name,
        list: hashes,
        isSigned,
        ...checked,
        unclear,
        held: isSigned ? undefined : held,
      });
    // What has no signature of its own is signed with the pictures around it.
    const slice = { isStart: false, isPlain: true };
    if (!isSigned) this.#added({ ...slice, hashes: this.#hash(sei.document), held }, time);
  }

  #added(unit: Pick<SignedUnit, "isStart" | "isPlain" | "hashes" | "held">, time: PictureTime): SignedUnit {
    const { fromUs, toUs } = time;
    const isLinked = !unit.isStart && unit.held === undefined;
    const added = { ...unit, anchor: isLinked ? this.#anchor : undefined, fromUs, toUs, order: this.#order };
    this.#order += 1;
    this.#judge.unit(added);
    return added;
  }

  #hash(bytes: Buffer): SignedUnit["hashes"] {
    this.#hashed += 1;
    const isWorthIt = this.#schemes.size > 0 || this.#hashed <= LIMITS.hashed;
    return isWorthIt ? hashesOf(bytes, this.#hashName) : undefined;
  }

  /** There is no more. */
  end(): CameraResult {
    const findings = this.#judge.end();
    return { findings, signers: [...this.#certificates.signers.values()], schemes: this.#schemes };
  }
}

/** When the pictures were made that a message is about; undefined: about none. Of Axis, it is not always told. */
function madeAt({ group, older }: SigningDocument, { fromUs }: PictureTime): UnixMillis | undefined {
  // The first message of the form before release 2.0 is about the picture behind it alone.
  const isOfGroup = group !== undefined || (older !== undefined && older.count > 1);
  return !isOfGroup ? undefined : group?.to || group?.from || older?.from || unixMillis(Math.floor(fromUs / 1000));
}
