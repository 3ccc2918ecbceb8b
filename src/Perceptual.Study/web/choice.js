// Buttons and keys, which do the same.
import { element } from './dom.js';

// Waits for a choice. Each is { value, label, key, name }: the key as the browser calls it, its name for people.
export function buttons(choices) {
  let decide;
  const chosen = new Promise(resolve => { decide = resolve; });
  let enabled = false;
  const made = choices.map(choice => element('button', {
    type: 'button', disabled: true, class: 'choice',
    onclick: () => choose(choice),
  }, element('span', {}, choice.label), element('kbd', { 'aria-hidden': 'true' }, choice.name)));

  function choose(choice) {
    if (!enabled)
      return;
    enabled = false;
    removeEventListener('keydown', onKey);
    for (const button of made)
      button.disabled = true;
    decide({ choice: choice.value, time: performance.now() });
  }

  function onKey(event) {
    const choice = choices.find(one => one.key === event.key);
    if (choice && !event.repeat && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      choose(choice);
    }
  }

  addEventListener('keydown', onKey);
  return {
    bar: element('div', { class: 'choices' }, ...made),
    chosen,
    enable() {
      enabled = true;
      for (const button of made)
        button.disabled = false;
    },
  };
}

export const LEFT = { value: 'left', label: 'Left', key: 'ArrowLeft', name: '←' };
export const RIGHT = { value: 'right', label: 'Right', key: 'ArrowRight', name: '→' };
export const NOT_SURE = { value: 'notsure', label: 'Not sure', key: 'ArrowDown', name: '↓' };
