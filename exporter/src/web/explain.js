// SPDX-License-Identifier: Apache-2.0
// Asks the daemon where the faults of some processes come from, and shows the answer. The
// daemon samples for some seconds before it answers.
import * as api from './api.js';
import {element, setText} from './dom.js';
import {Explanation} from './explanation.js';
import * as format from './format.js';

const SECONDS = ['5', '10', '30', '60'];
const ABSENT = 'The exporter runs without --profile, so that it cannot say.';

export class Explain {
  // `selector`: the parameter of the request that says whose faults.
  constructor(selector) {
    this.selector = selector;
    this.button = element('button', {type: 'button'}, 'Explain');
    this.seconds = element('select', {}, ...SECONDS.map((n) =>
      element('option', n === '10' ? {value: n, selected: ''} : {value: n}, `${n} s`)));
    this.progress = element('progress', {'aria-label': 'Sampling', hidden: ''});
    this.state = element('p', {class: 'quiet', role: 'status'});
    this.result = element('div');
    this.tools = element('div', {class: 'tools'}, this.button,
      element('label', {}, 'Sample for ', this.seconds), this.progress);
    this.node = element('div', {class: 'explain'},
      element('h3', {}, 'Where the faults come from'), this.tools, this.state, this.result);
    this.button.addEventListener('click', () => (this.request ? this.end() : this.ask()));
  }

  // Whether it asks or has an answer, so that it should stay on the page.
  get isUsed() {
    return Boolean(this.request) || this.result.hasChildNodes();
  }

  show(hasExplain) {
    this.tools.hidden = !hasExplain && !this.isUsed;
    if (this.tools.hidden) setText(this.state, ABSENT);
    else if (this.state.textContent === ABSENT) setText(this.state, '');
  }

  end() {
    this.request?.abort();
  }

  async ask() {
    const request = this.request = new AbortController();
    this.result.replaceChildren();
    this.begin(Number(this.seconds.value));
    try {
      const answer = await api.explain(this.selector, this.seconds.value, request.signal);
      this.result.append(new Explanation(answer).node);
      this.finish(`Sampled until ${format.clock(Date.now() / 1000)}.`);
    } catch (error) {
      this.finish(request.signal.aborted ? 'Cancelled.' : error instanceof api.Refusal
        ? format.sentence(error.message) : 'The daemon has not answered.', !request.signal.aborted);
    }
  }

  begin(seconds) {
    const began = Date.now();
    setText(this.button, 'Cancel');
    setText(this.state, `Sampling for ${seconds} s.`);
    delete this.state.dataset.level;
    this.seconds.disabled = true;
    this.progress.hidden = false;
    this.progress.max = seconds;
    this.progress.value = 0;
    this.timer = setInterval(() => {
      const passed = (Date.now() - began) / 1000;
      if (passed < seconds) this.progress.value = passed;
      else this.progress.removeAttribute('value');  // it gives names to functions
    }, 250);
  }

  finish(text, isBad = false) {
    clearInterval(this.timer);
    this.request = null;
    setText(this.button, this.result.hasChildNodes() ? 'Explain again' : 'Explain');
    setText(this.state, text);
    if (isBad) this.state.dataset.level = 'bad';
    this.seconds.disabled = false;
    this.progress.hidden = true;
  }
}
