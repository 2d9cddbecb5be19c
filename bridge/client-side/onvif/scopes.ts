import type { Audit } from "../../../auth/audit.ts";
import type { Handlers, KnownCall } from "../../../onvif/server/service.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { DEVICE } from "../../../wsdl/tables/tds.ts";
import { DeviceScopes, isReserved, isScope } from "../../device-scopes.ts";
import { type OnvifProfile, profileScopes } from "./profile-scopes.ts";

/** The scopes of a device that clients may set. */
export interface OnvifScopes {
  readonly set: DeviceScopes;
  readonly audit: Audit;
}

type ScopeHandlers = Pick<Handlers<typeof DEVICE>, "GetScopes" | "SetScopes" | "AddScopes" | "RemoveScopes">;

/** What of a site its scopes are made of. */
interface Scoped {
  readonly device: { readonly name: string; readonly model: string };
  readonly profileScopes: readonly OnvifProfile[];
  readonly scopes?: OnvifScopes | undefined;
}

/** What the device says of itself as scopes, here and in discovery (Core 7.3): what was set first, for clients show the first name. */
export function deviceScopes(site: Scoped): readonly string[] {
  return [...(site.scopes?.set.list() ?? []), ...fixedScopes(site)];
}

function fixedScopes({ device: { name, model }, profileScopes: switchedOn }: Scoped): readonly string[] {
  const about = [scope("name", name), scope("hardware", model), "onvif://www.onvif.org/type/video_encoder"];
  return [...about, ...profileScopes(switchedOn)];
}

function scope(category: string, value: string): string {
  return `onvif://www.onvif.org/${category}/${encodeURIComponent(value)}`;
}

/**
 * Scopes by name, place and whatever else an installation goes by (Core 8.3: scope parameters). What says what the bridge is and does is fixed, its own
 * name too: there has to be a fixed one. Who asks has been found to manage accounts; each change stands in the audit log, and is told by discovery.
 * The device of a camera has none but fixed ones: its name is the camera's.
 */
export function scopeHandlers(site: Scoped): ScopeHandlers {
  const change = async (
    { who, peer }: KnownCall,
    make: (list: readonly string[], fixed: ReadonlySet<string>) => readonly string[],
  ): Promise<void> => {
    if (site.scopes === undefined)
      throw new SoapFault("invalid", "Receiver", ["ActionNotSupported"], "The scopes of this device are fixed");
    const { set, audit } = site.scopes;
    const fixed = new Set(fixedScopes(site));
    const { before, after } = await set.change((list) => bounded(make(list, fixed)));
    if (before === after) return;
    audit.record({
      who: who.name,
      action: "set-scopes",
      interface: "onvif",
      outcome: "allowed",
      subject: "bridge",
      before: JSON.stringify(before),
      after: JSON.stringify(after),
      address: peer.address,
    });
  };

  return {
    GetScopes: () => {
      const set = new Set(site.scopes?.set.list());
      return {
        Scopes: deviceScopes(site).map((ScopeItem) => ({
          ScopeDef: set.has(ScopeItem) ? ("Configurable" as const) : ("Fixed" as const),
          ScopeItem,
        })),
      };
    },
    async SetScopes({ Scopes: asked }, call) {
      await change(call, (_, fixed) => {
        const scopes = asked.map(allowed);
        if (scopes.some((one) => fixed.has(one))) throw overwriting();
        return scopes;
      });
      return {};
    },
    async AddScopes({ ScopeItem: asked }, call) {
      // One that is there already is no other one.
      await change(call, (list, fixed) => [...list, ...asked.filter((one) => !fixed.has(one)).map(allowed)]);
      return {};
    },
    async RemoveScopes({ ScopeItem: asked }, call) {
      await change(call, (list, fixed) => {
        if (asked.some((one) => fixed.has(one)))
          throw new SoapFault("invalid", "Sender", ["OperationProhibited", "FixedScope"], "A fixed scope stays");
        if (!asked.every((one) => list.includes(one)))
          throw new SoapFault("not-found", "Sender", ["InvalidArgVal", "NoScope"], "There is no such scope");
        return list.filter((one) => !asked.includes(one));
      });
      return { ScopeItem: [...new Set(asked)] };
    },
  };
}

function allowed(asked: string): string {
  if (!isScope(asked))
    throw new SoapFault("invalid", "Sender", ["InvalidArgVal"], "A scope is a URI of up to 128 characters");
  if (isReserved(asked)) throw overwriting();
  return asked;
}

function overwriting(): SoapFault {
  const tell = "What says what the device is and does is fixed: names and locations can be set, and scopes of others";
  return new SoapFault("invalid", "Sender", ["OperationProhibited", "ScopeOverwrite"], tell);
}

/** Each once. */
function bounded(scopes: readonly string[]): readonly string[] {
  const all = [...new Set(scopes)];
  if (all.length > DeviceScopes.most)
    throw new SoapFault(
      "busy",
      "Receiver",
      ["Action", "TooManyScopes"],
      `There are ${DeviceScopes.most} scopes at most`,
    );
  return all;
}
