import { randomBytes } from "node:crypto";
import type { Principal } from "../../../auth/principal.ts";
import { isFault } from "../../../base/fault.ts";
import type { Handlers, KnownCall } from "../../../onvif/server/service.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { ValueOf } from "../../../wsdl/schema.ts";
import type { ConfigurationRef, MEDIA2 } from "../../../wsdl/tables/tr2.ts";
import type { MEDIA } from "../../../wsdl/tables/trt.ts";
import type { Profile } from "../../../wsdl/tables/tt-media.ts";
import { type MadeProfile, PARTS, type Part } from "../../made-profiles.ts";
import { conflictOf, findPart, findProfile, hiddenBeside, type Parts, type ShownProfile, tokenOf } from "./profiles.ts";
import type { OnvifSite } from "./site.ts";
import { missing } from "./view.ts";

/** Bytes of a token of ours. It begins with what no camera's id has in it, so that it is never that of a stream. */
const TOKEN_BYTES = 8;
const TOKEN_START = "made.";

/** Of clients that choose their own: what Media 5.2.1 has, and what else our tokens are made of. */
const CHOSEN_TOKEN = /^[A-Za-z0-9._-]{1,64}$/;

function conflict(why: string): SoapFault {
  return new SoapFault("invalid", "Receiver", ["Action", "ConfigurationConflict"], why);
}

/** What is to be put into a profile: the token of each part. */
type Tokens = readonly (readonly [part: Part, token: string])[];

/** Making and changing profiles, for the media services: what an account makes is its own, and nobody else sees it. */
class ProfileChanges {
  readonly #site: OnvifSite;

  constructor(site: OnvifSite) {
    this.#site = site;
  }

  /** The token: a new one where none is asked for. */
  async create(
    who: Principal,
    o: { readonly name: string; readonly token?: string | undefined; readonly add: Tokens },
  ) {
    const token = o.token ?? `${TOKEN_START}${randomBytes(TOKEN_BYTES).toString("hex")}`;
    if (!CHOSEN_TOKEN.test(token))
      throw new SoapFault("invalid", "Sender", ["InvalidArgVal"], "A token has letters, digits, '.', '_' and '-'");
    await this.#put(who, token, () => {
      if (this.#has(who, token))
        throw new SoapFault(
          "invalid",
          "Sender",
          ["InvalidArgVal", "ProfileExists"],
          "There is a profile of that token",
        );
      return { token, name: o.name, fixed: false, parts: this.#with(who, {}, o.add) };
    });
    return token;
  }

  /** Each part that is added takes the place of one that is there. What is hidden from `who` now stays where it still fits. */
  async change(
    who: Principal,
    token: string,
    o: { readonly name?: string | undefined; readonly add?: Tokens; readonly remove?: ReadonlySet<string> },
  ): Promise<void> {
    const changed = (): ShownProfile => {
      const before = findProfile(this.#site, who, token);
      const { add = [], remove = new Set(), name = before.name } = o;
      const left = Object.fromEntries(Object.entries(before.parts).filter(([part]) => !remove.has(part)));
      const after: ShownProfile = { ...before, name, parts: this.#with(who, left, add) };
      if (before.fixed && !isSame(before, after))
        throw conflict("This profile is that of the stream, for everybody: make one with CreateProfile");
      return after;
    };
    const hidden = ({ parts: after }: ShownProfile): MadeProfile["parts"] => {
      const before = findProfile(this.#site, who, token);
      const isHidden = (part: Part): boolean => before.parts[part] === undefined && o.remove?.has(part) !== true;
      const { parts = {} } = this.#site.profiles(who).find(token) ?? {};
      const left = Object.fromEntries(PARTS.filter(isHidden).map((part) => [part, parts[part]]));
      return hiddenBeside(this.#site, who, after, left);
    };
    if (findProfile(this.#site, who, token).fixed) changed();
    else await this.#put(who, token, changed, hidden);
  }

  async delete(who: Principal, token: string): Promise<void> {
    if (findProfile(this.#site, who, token).fixed)
      throw new SoapFault("invalid", "Sender", ["Action", "DeletionOfFixedProfile"], "The profile is that of a stream");
    await this.#site.profiles(who).remove(token);
  }

  #has(who: Principal, token: string): boolean {
    try {
      findProfile(this.#site, who, token);
      return true;
    } catch (thrown) {
      if (isFault(thrown, "not-found")) return false;
      throw thrown;
    }
  }

  #with(who: Principal, parts: Parts, add: Tokens): Parts {
    return {
      ...parts,
      ...Object.fromEntries(add.map(([part, token]) => [part, findPart(this.#site, who, part, token)])),
    };
  }

  /** `hidden`: what is to be kept besides what is shown. */
  async #put(
    who: Principal,
    token: string,
    make: () => ShownProfile,
    hidden: (after: ShownProfile) => MadeProfile["parts"] = () => ({}),
  ): Promise<void> {
    const checked = (): MadeProfile => {
      const profile = make();
      const why = conflictOf(profile.parts);
      if (why !== undefined) throw conflict(why);
      const { parts, ...rest } = kept(profile);
      return { ...rest, parts: { ...hidden(profile), ...parts } };
    };
    try {
      await this.#site.profiles(who).put(token, checked);
    } catch (thrown) {
      if (!isFault(thrown, "busy")) throw thrown;
      const text = "There are too many profiles: delete some that this account has made";
      throw new SoapFault("busy", "Receiver", ["Action", "MaxNVTProfiles"], text);
    }
  }
}

function kept(profile: ShownProfile): MadeProfile {
  const parts = PARTS.flatMap((part) => {
    const token = tokenOf(profile, part);
    return token === undefined ? [] : [[part, token] as const];
  });
  return { token: profile.token, name: profile.name, parts: Object.fromEntries(parts) };
}

function isSame(a: ShownProfile, b: ShownProfile): boolean {
  return a.name === b.name && PARTS.every((part) => tokenOf(a, part) === tokenOf(b, part));
}

type Of<T extends typeof MEDIA | typeof MEDIA2, K extends keyof T["operations"]> = Pick<Handlers<T>, K>;

/** Media 5.2: a command for each kind of part. `print`: as the service shows a profile. */
export function profileChanges(
  site: OnvifSite,
  print: (profile: ShownProfile) => ValueOf<typeof Profile>,
): Of<typeof MEDIA, `${"Add" | "Remove"}${Part}Configuration` | "CreateProfile" | "DeleteProfile"> {
  const changes = new ProfileChanges(site);
  interface Wish {
    readonly ProfileToken: string;
    readonly ConfigurationToken: string;
  }
  const add =
    (part: Part) =>
    async ({ ProfileToken, ConfigurationToken }: Wish, { who }: KnownCall) => {
      await changes.change(who, ProfileToken, { add: [[part, ConfigurationToken]] });
      return {};
    };
  const remove =
    (part: Part) =>
    async ({ ProfileToken }: Pick<Wish, "ProfileToken">, { who }: KnownCall) => {
      await changes.change(who, ProfileToken, { remove: new Set([part]) });
      return {};
    };
  return {
    CreateProfile: async ({ Name, Token }, { who }) => {
      const token = await changes.create(who, { name: Name, token: Token, add: [] });
      return { Profile: print(findProfile(site, who, token)) };
    },
    DeleteProfile: async ({ ProfileToken }, { who }) => {
      await changes.delete(who, ProfileToken);
      return {};
    },
    AddVideoSourceConfiguration: add("VideoSource"),
    AddVideoEncoderConfiguration: add("VideoEncoder"),
    AddAudioSourceConfiguration: add("AudioSource"),
    AddAudioEncoderConfiguration: add("AudioEncoder"),
    AddMetadataConfiguration: add("Metadata"),
    AddPTZConfiguration: add("PTZ"),
    RemoveVideoSourceConfiguration: remove("VideoSource"),
    RemoveVideoEncoderConfiguration: remove("VideoEncoder"),
    RemoveAudioSourceConfiguration: remove("AudioSource"),
    RemoveAudioEncoderConfiguration: remove("AudioEncoder"),
    RemoveMetadataConfiguration: remove("Metadata"),
    RemovePTZConfiguration: remove("PTZ"),
  };
}

/** What has to be removed for a type (Media2 5.2.4). */
const ALL = "All";

/** Media2 5.2: several parts at once. */
export function profileChanges2(
  site: OnvifSite,
): Of<typeof MEDIA2, "CreateProfile" | "DeleteProfile" | "AddConfiguration" | "RemoveConfiguration"> {
  const changes = new ProfileChanges(site);
  return {
    CreateProfile: async ({ Name, Configuration = [] }, { who }) => ({
      Token: await changes.create(who, { name: Name, add: tokensOf(Configuration) }),
    }),
    DeleteProfile: async ({ Token }, { who }) => {
      await changes.delete(who, Token);
      return {};
    },
    AddConfiguration: async ({ ProfileToken, Name, Configuration = [] }, { who }) => {
      await changes.change(who, ProfileToken, { name: Name, add: tokensOf(Configuration) });
      return {};
    },
    RemoveConfiguration: async ({ ProfileToken, Configuration }, { who }) => {
      const types = Configuration.map(({ Type }) => Type);
      await changes.change(who, ProfileToken, { remove: new Set(types.includes(ALL) ? PARTS : types) });
      return {};
    },
  };
}

/** "All" counts for nothing here (Media2 5.2.1), and a kind that is not served has no configuration that could be named. */
function tokensOf(references: readonly ValueOf<typeof ConfigurationRef>[]): Tokens {
  return references
    .filter(({ Type }) => Type !== ALL)
    .map(({ Type, Token }) => {
      const part = PARTS.find((one) => one === Type);
      if (part === undefined || Token === undefined) throw missing("NoConfig");
      return [part, Token];
    });
}
