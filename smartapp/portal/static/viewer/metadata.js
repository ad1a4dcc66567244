/** DICOM JSON (PS3.18 Annex F) of one series, as the pictures that the viewer can show, in viewing order. */

import { distanceAlongNormal } from "./geometry.js";

const TAG = {
  sop: "00080018",
  number: "00200013",
  samples: "00280002",
  photometric: "00280004",
  frames: "00280008",
  rows: "00280010",
  columns: "00280011",
  pixelSpacing: "00280030",
  aspect: "00280034",
  bitsAllocated: "00280100",
  bitsStored: "00280101",
  highBit: "00280102",
  signed: "00280103",
  padding: "00280120",
  centre: "00281050",
  width: "00281051",
  intercept: "00281052",
  slope: "00281053",
  shape: "00281056",
  voiSequence: "00283010",
  modality: "00080060",
  frameOfReference: "00200052",
  displayRate: "00082144",
  cineRate: "00180040",
  frameTime: "00181063",
  frameTimes: "00181065",
  orientation: "00200037",
  position: "00200032",
  patientOrientation: "00200020",
  shared: "52009229",
  perFrame: "52009230",
};

/** Functional group macros whose attributes stand at the top of a single-frame object (PS3.3 §C.7.6.16). */
const GROUPS = ["00289110", "00209116", "00209113", "00289145", "00289132"];

const values = (dataset, tag) => dataset[tag]?.Value ?? [];
const first = (dataset, tag) => values(dataset, tag)[0];
const numbers = (dataset, tag) => values(dataset, tag).map(Number);
const number = (dataset, tag, otherwise) => {
  const value = first(dataset, tag);
  return value === undefined || value === null ? otherwise : Number(value);
};

/** The pictures of a series: one per frame of each instance that has pixels, by instance number, then by place. */
export function picturesOf(datasets) {
  return datasets
    .filter((dataset) => number(dataset, TAG.rows, 0) > 0 && number(dataset, TAG.columns, 0) > 0)
    .flatMap(framesOf)
    .sort((a, b) => a.number - b.number || a.distance - b.distance || a.frame - b.frame);
}

function framesOf(dataset) {
  const count = Math.max(1, number(dataset, TAG.frames, 1));
  return Array.from({ length: count }, (_, index) => picture(frameView(dataset, index), index + 1));
}

/** The dataset as frame `index` sees it: its own functional groups before the shared ones before the top level. */
function frameView(dataset, index) {
  const own = values(dataset, TAG.perFrame)[index] ?? {};
  const shared = first(dataset, TAG.shared) ?? {};
  const flat = (groups) => Object.assign({}, ...GROUPS.map((tag) => first(groups, tag) ?? {}));
  return { ...dataset, ...flat(shared), ...flat(own) };
}

function picture(dataset, frame) {
  const orientation = sized(numbers(dataset, TAG.orientation), 6);
  const spacing = sized(numbers(dataset, TAG.pixelSpacing), 2);
  const place = sized(numbers(dataset, TAG.position), 3);
  return {
    sop: first(dataset, TAG.sop),
    frame,
    number: number(dataset, TAG.number, 0),
    rows: number(dataset, TAG.rows, 0),
    columns: number(dataset, TAG.columns, 0),
    grey: isGrey(dataset),
    format: greyFormat(dataset),
    window: ownWindow(dataset),
    spacing,
    windowPresets: isGrey(dataset) && first(dataset, TAG.modality) === "CT",
    aspect: spacing ?? sized(numbers(dataset, TAG.aspect), 2) ?? [1, 1],
    clip: number(dataset, TAG.frames, 1) > 1,
    interval: intervalOf(dataset, frame),
    frameOfReference: first(dataset, TAG.frameOfReference) ?? null,
    orientation,
    place: orientation && place ? distanceAlongNormal(orientation, place) : null,
    patientOrientation: sized(values(dataset, TAG.patientOrientation), 2),
    distance: distanceAlongNormal(orientation, place),
  };
}

/** How long a frame stays in a film, in ms (PS3.3 §C.7.6.5): as recommended, as taken, or a tenth of a second. */
function intervalOf(dataset, frame) {
  const steps = numbers(dataset, TAG.frameTimes);
  const byRate = (tag) => 1000 / number(dataset, tag, 0);
  const asked = [
    byRate(TAG.displayRate),
    number(dataset, TAG.frameTime, 0),
    steps[frame] ?? steps.at(-1), // each is the time since the frame before; the first one's is 0
    byRate(TAG.cineRate),
  ];
  const found = asked.find((value) => Number.isFinite(value) && value > 0) ?? 100;
  return Math.min(2000, Math.max(10, found));
}

/** Grey pictures of 8 or 16 bits are windowed here; all others (colour, palettes, tables) come drawn by the server. */
function isGrey(dataset) {
  const bits = number(dataset, TAG.bitsAllocated, 0);
  const plain = ["MONOCHROME1", "MONOCHROME2"].includes(first(dataset, TAG.photometric));
  const tableOnly = values(dataset, TAG.voiSequence).length > 0 && values(dataset, TAG.centre).length === 0;
  return plain && number(dataset, TAG.samples, 1) === 1 && (bits === 8 || bits === 16) && !tableOnly;
}

function greyFormat(dataset) {
  const bitsAllocated = number(dataset, TAG.bitsAllocated, 16);
  const bitsStored = number(dataset, TAG.bitsStored, bitsAllocated);
  return {
    bitsAllocated,
    bitsStored,
    highBit: number(dataset, TAG.highBit, bitsStored - 1),
    signed: number(dataset, TAG.signed, 0) === 1,
    slope: number(dataset, TAG.slope, 1) || 1,
    intercept: number(dataset, TAG.intercept, 0),
    inverted: first(dataset, TAG.photometric) === "MONOCHROME1",
    padding: number(dataset, TAG.padding, null),
    shape: first(dataset, TAG.shape) ?? "LINEAR",
  };
}

/** The first window that the object brings along, or null. */
function ownWindow(dataset) {
  const centre = number(dataset, TAG.centre, NaN);
  const width = number(dataset, TAG.width, NaN);
  return Number.isFinite(centre) && width > 0 ? [centre, width] : null;
}

/** `list` when it has `length` usable members, else null: half an orientation is none. */
function sized(list, length) {
  return list.length === length && list.every((item) => item !== "" && !Number.isNaN(item)) ? list : null;
}
