import { SoapFault } from "../../wsdl/envelope.ts";
import type { ValueOf } from "../../wsdl/schema.ts";
import type { PresetTour, PTZPresetTourOptions, PTZPresetTourSpot } from "../../wsdl/tables/tt-preset-tour.ts";
import { OwnTokens } from "./own-tokens.ts";

type Tour = ValueOf<typeof PresetTour>;
type Spot = ValueOf<typeof PTZPresetTourSpot>;

/** What of an answer of the PTZ service holds tokens of the camera's. */
interface Answer {
  readonly Preset?: readonly { readonly token?: string }[];
  readonly PresetToken?: string;
  readonly PresetTour?: Tour | readonly Tour[];
  readonly PresetTourToken?: string;
  readonly Options?: ValueOf<typeof PTZPresetTourOptions>;
}

/** Tokens of the bridge's own for the presets and preset tours of one camera. */
export class PlaceTokens {
  readonly presets: OwnTokens;
  readonly tours: OwnTokens;

  constructor(camera: string) {
    this.presets = new OwnTokens(`${camera} preset`);
    this.tours = new OwnTokens(`${camera} tour`);
  }

  /** An answer with our tokens in place of the camera's. What has no token cannot be asked for, and is left out. */
  inAnswer(answer: object): object {
    const { Preset, PresetToken, PresetTour: tours, PresetTourToken, Options } = answer as Answer;
    return {
      ...answer,
      ...(PresetToken === undefined ? {} : { PresetToken: this.presets.own(PresetToken) }),
      ...(Preset === undefined
        ? {}
        : {
            Preset: Preset.flatMap((one) =>
              one.token === undefined ? [] : { ...one, token: this.presets.own(one.token) },
            ),
          }),
      ...(tours === undefined
        ? {}
        : { PresetTour: "length" in tours ? tours.flatMap((tour) => this.#listed(tour)) : this.#tour(tours) }),
      ...(PresetTourToken === undefined ? {} : { PresetTourToken: this.tours.own(PresetTourToken) }),
      ...(Options === undefined ? {} : { Options: this.#options(Options) }),
    };
  }

  /** Without a start by itself, whatever the camera can do: see {@link tourOfCamera}. */
  #options(options: ValueOf<typeof PTZPresetTourOptions>): ValueOf<typeof PTZPresetTourOptions> {
    const { PresetDetail } = options.TourSpot;
    const PresetToken = (PresetDetail.PresetToken ?? []).map((token) => this.presets.own(token));
    return {
      ...options,
      AutoStart: false,
      TourSpot: { ...options.TourSpot, PresetDetail: { ...PresetDetail, PresetToken } },
    };
  }

  #listed(tour: Tour): readonly Tour[] {
    return tour.token === undefined ? [] : [this.#tour(tour)];
  }

  #tour(tour: Tour): Tour {
    const { token, Status, TourSpot = [] } = tour;
    const { CurrentTourSpot: spot, ...status } = Status;
    const [current] = spot === undefined ? [] : this.#spot(spot);
    return {
      ...tour,
      ...(token === undefined ? {} : { token: this.tours.own(token) }),
      Status: { ...status, ...(current === undefined ? {} : { CurrentTourSpot: current }) },
      TourSpot: TourSpot.flatMap((one) => this.#spot(one)),
    };
  }

  /** None where it does not say where it is. */
  #spot(spot: Spot): readonly Spot[] {
    const detail = placeIn(spot);
    if (detail === undefined) return [];
    const { PresetToken } = detail;
    return [
      { ...spot, PresetDetail: PresetToken === undefined ? detail : { PresetToken: this.presets.own(PresetToken) } },
    ];
  }
}

/** One way to say where a spot is, as the schema has it, whatever is said. */
function placeIn({ PresetDetail: { PresetToken, Home, PTZPosition } }: Spot): Spot["PresetDetail"] | undefined {
  if (PresetToken !== undefined) return { PresetToken };
  if (Home !== undefined) return { Home };
  return PTZPosition === undefined ? undefined : { PTZPosition };
}

/**
 * A tour as a client wishes it, with the camera's tokens, which `find` knows or refuses. One that begins by itself is refused: it
 * would move the camera when nobody with the right to that has said so.
 */
export async function tourOfCamera(
  tour: Tour,
  find: (kind: "presets" | "tours", token: string) => Promise<string>,
): Promise<Tour> {
  if (tour.AutoStart) throw invalidTour("A tour that begins by itself cannot be made here");
  const { State } = tour.Status;
  const TourSpot: Spot[] = [];
  for (const spot of tour.TourSpot ?? []) {
    const place = placeIn(spot);
    if (place === undefined) throw invalidTour("A spot has to say where it is");
    const { PresetToken } = place;
    const PresetDetail = PresetToken === undefined ? place : { PresetToken: await find("presets", PresetToken) };
    TourSpot.push({ ...spot, PresetDetail });
  }
  return { ...tour, token: await find("tours", tour.token ?? ""), Status: { State }, TourSpot };
}

function invalidTour(why: string): SoapFault {
  return new SoapFault("invalid", "Sender", ["InvalidArgVal", "InvalidPresetTour"], why);
}
