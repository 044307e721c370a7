// SPDX-License-Identifier: Apache-2.0
// The layout of the flame graph: the page's own functions, which draw nothing.
import {same, test} from './lib.mjs';

const near = (a, b) => Math.abs(a - b) < 1e-6;

export async function testFrames(page, answer) {
  await test('frames: what a function has is what those that it calls have, and its own', async () => {
    const wrong = await page.evaluate(async (given) => {
      const {treeOf} = await import('/web/frames.js');
      const found = [];
      const visit = (frame) => {
        for (const measure of ['faults', 'stall_seconds']) {
          const sum = [...frame.called.values()].reduce((all, called) => all + called[measure], 0);
          const own = given.stacks.filter(({frames}) => frames[0] === frame.name)
            .reduce((all, stack) => all + stack[measure], 0);
          if (!frame.name.startsWith('[') && Math.abs(sum + own - frame[measure]) > 1e-6)
            found.push(`${frame.name}: ${measure} ${frame[measure]}, ${sum}, ${own}`);
        }
        [...frame.called.values()].forEach(visit);
      };
      const root = treeOf(given);
      visit(root);
      const parts = Object.fromEntries([...root.called].map(([name, {faults}]) => [name, faults]));
      return {found, faults: root.faults, stall: root.stall_seconds, parts};
    }, answer);
    same(wrong.found, []);
    same(wrong.faults, answer.faults);
    same(near(wrong.stall, answer.stall_seconds), true, String(wrong.stall));
    same([wrong.parts['[not sampled]'], wrong.parts['[more call paths]']], [2100, 1500]);
  });

  await test('frames: widths add up, in the whole and in a part', async () => {
    const results = await page.evaluate(async (given) => {
      const {treeOf, boxesOf} = await import('/web/frames.js');
      const root = treeOf(given);
      const part = root.called.get('_start').called.get('__libc_start_main');
      return [[root, 'faults'], [root, 'stall_seconds'], [part, 'faults']].map(([zoomed, measure]) =>
        boxesOf(zoomed, measure).map(({frame, left, width}, i, boxes) => ({left, width,
          depth: frame.depth, isShown: frame.depth < zoomed.depth, name: frame.name,
          share: frame[measure] / zoomed[measure],
          caller: boxes.findIndex((box) => box.frame === frame.caller)})));
    }, answer);
    for (const boxes of results) {
      boxes.forEach(({left, width, caller, isShown, share, name}, i) => {
        if (isShown) return same([left, width], [0, 1], name);
        same(near(width, share), true, `${name}: ${width}, ${share}`);
        if (caller < 0) return;
        const {left: begin, width: whole} = boxes[caller];
        same(caller < i && left >= begin - 1e-9 && left + width <= begin + whole + 1e-9, true, name);
      });
      const first = boxes.filter(({depth}) => depth === boxes.filter((box) => box.width === 1).length);
      for (const [i, box] of first.entries())
        if (i) same(near(box.left, first[i - 1].left + first[i - 1].width), true, box.name);
    }
    const top = results[0].filter(({depth}) => depth === 1);
    same(near(top.reduce((all, {width}) => all + width, 0), 1), true, 'all of the root');
  });

  await test('frames: an answer without stall, without samples, with a narrow frame', async () => {
    const got = await page.evaluate(async () => {
      const {treeOf, boxesOf} = await import('/web/frames.js');
      const names = (given, measure) =>
        boxesOf(treeOf(given), measure).map(({frame, width}) => `${frame.name} ${width}`);
      const none = {faults: 0, not_sampled: {faults: 0}, stacks: []};
      const narrow = {...none, faults: 10000, stacks:
        [{frames: ['b', 'a'], faults: 9985}, {frames: ['c'], faults: 15}]};
      return [names(none, 'faults'), names(narrow, 'faults'), names(narrow, 'stall_seconds')];
    });
    same(got, [['all 1'], ['all 1', 'a 0.9985', 'b 0.9985'], ['all 1']]);
  });

  await test('frames: what matches is counted once', async () => {
    const got = await page.evaluate(async () => {
      const {treeOf, matchesOf} = await import('/web/frames.js');
      const root = treeOf({faults: 12, not_sampled: {faults: 0}, stacks: [
        {frames: ['grow', 'Grow', 'main'], faults: 5}, {frames: ['other', 'main'], faults: 4},
        {frames: ['grow'], faults: 3}]});
      return ['GROW', 'main', 'all', 'x', ''].map((text) => {
        const {frames, sum} = matchesOf(root, text, 'faults');
        return [frames.size, sum];
      });
    });
    same(got, [[3, 8], [1, 9], [0, 0], [0, 0], [0, 0]]);
  });

  await test('frames: where arrow keys lead', async () => {
    const got = await page.evaluate(async () => {
      const {treeOf, boxesOf, neighbourOf} = await import('/web/frames.js');
      const boxes = boxesOf(treeOf({faults: 12, not_sampled: {faults: 0}, stacks: [
        {frames: ['c', 'a'], faults: 6}, {frames: ['d', 'a'], faults: 2},
        {frames: ['e', 'b'], faults: 4}]}), 'faults');
      const to = (name, key) => boxes[neighbourOf(boxes,
        boxes.findIndex(({frame}) => frame.name === name), `Arrow${key}`)]?.frame.name ?? null;
      return [to('all', 'Up'), to('all', 'Down'), to('a', 'Down'), to('a', 'Right'), to('d', 'Right'),
        to('e', 'Left'), to('c', 'Left'), to('e', 'Right'), to('e', 'Down'), to('d', 'Up')];
    });
    same(got, [null, 'a', 'c', 'b', 'e', 'd', null, null, null, 'a']);
  });
}
