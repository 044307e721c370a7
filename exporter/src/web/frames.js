// SPDX-License-Identifier: Apache-2.0
// The tree of calls of an explanation, and where a flame graph has its frames. Nothing
// here draws.

// A frame narrower than this share of the graph is left out.
const NARROWEST = 0.002;
const MEASURES = ['faults', 'stall_seconds'];

// What two sums of the same numbers differ by, because they are rounded.
const ROUNDING = 1e-6;

// A function with those that called it. It has the faults of all that it called, and its
// own.
function makeFrame(name, caller) {
  return {name, caller, depth: caller ? caller.depth + 1 : 0, faults: 0, stall_seconds: 0,
    called: new Map()};
}

function add(frame, sum) {
  for (const measure of MEASURES) frame[measure] += sum[measure] ?? 0;
}

function calledBy(frame, name) {
  const called = frame.called.get(name) ?? makeFrame(name, frame);
  frame.called.set(name, called);
  return called;
}

// `names`: from the outermost function to the one that faulted.
function addPath(root, names, sum) {
  let frame = root;
  add(frame, sum);
  for (const name of names) add(frame = calledBy(frame, name), sum);
}

// What the answer has in all, without what its stacks have.
function restOf(answer, root) {
  const rest = Object.fromEntries(MEASURES.map((measure) => {
    const all = answer[measure] ?? 0;
    return [measure, all - root[measure] > all * ROUNDING ? all - root[measure] : 0];
  }));
  return MEASURES.some((measure) => rest[measure]) ? rest : null;
}

// Returns the root, which has what the answer has in all: what was not sampled, and the
// stacks beyond the request's limit, have frames of their own.
export function treeOf(answer) {
  const root = makeFrame('all', null);
  for (const stack of answer.stacks) addPath(root, [...stack.frames].reverse(), stack);
  if (answer.not_sampled.faults) addPath(root, ['[not sampled]'], answer.not_sampled);
  const rest = restOf(answer, root);
  if (rest) addPath(root, ['[more call paths]'], rest);
  return root;
}

function callersOf(frame) {
  const callers = [];
  for (let {caller} = frame; caller; {caller} = caller) callers.unshift(caller);
  return callers;
}

// The frames that are shown when the graph is as wide as `zoomed`: its callers, itself, and
// what it called. A box is {frame, left, width}; both are parts of the graph's width. A
// frame comes before those that it called, and of these the widest comes first.
export function boxesOf(zoomed, measure) {
  const whole = zoomed[measure];
  const boxes = callersOf(zoomed).map((frame) => ({frame, left: 0, width: 1}));
  const place = (frame, left, width) => {
    boxes.push({frame, left, width});
    const widest = [...frame.called.values()].sort((a, b) => b[measure] - a[measure]);
    for (const called of widest) {
      const share = called[measure] / whole;
      if (!(share >= NARROWEST)) break;
      place(called, left, share);
      left += share;
    }
  };
  place(zoomed, 0, 1);
  return boxes;
}

// The frames whose name contains the text, in any case. `sum` is what they have together;
// one that is below another one is part of it.
export function matchesOf(root, text, measure) {
  const wanted = text.toLowerCase();
  const frames = new Set();
  let sum = 0;
  const visit = (frame, isBelow) => {
    const matches = frame !== root && frame.name.toLowerCase().includes(wanted);
    if (matches) frames.add(frame);
    if (matches && !isBelow) sum += frame[measure];
    for (const called of frame.called.values()) visit(called, isBelow || matches);
  };
  if (wanted) visit(root, false);
  return {frames, sum};
}

// Where an arrow key leads from a box. Returns an index, or -1 if there is nothing.
export function neighbourOf(boxes, at, key) {
  const {frame} = boxes[at];
  const row = boxes.flatMap((box, i) => (box.frame.depth === frame.depth ? [i] : []))
    .sort((a, b) => boxes[a].left - boxes[b].left);
  switch (key) {
    case 'ArrowUp': return boxes.findIndex((box) => box.frame === frame.caller);
    case 'ArrowDown': return boxes.findIndex((box) => box.frame.caller === frame);
    case 'ArrowLeft': return row[row.indexOf(at) - 1] ?? -1;
    case 'ArrowRight': return row[row.indexOf(at) + 1] ?? -1;
    case 'Home': return 0;
    default: return -1;
  }
}
