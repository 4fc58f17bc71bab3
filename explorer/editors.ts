/** The three editors. Each stands in a shadow root: there CodeMirror adopts style sheets instead of writing style elements. */
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { linter } from '@codemirror/lint';
import { EditorState, Prec, type Extension } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { basicSetup } from 'codemirror';
import { graphql } from 'cm6-graphql';

const look = EditorView.theme({
  '&': { height: '100%', fontSize: '13px' },
  '.cm-scroller': { overflow: 'auto', fontFamily: 'ui-monospace, monospace' },
});

export function operationEditor(place: HTMLElement, text: string, run: () => void): EditorView {
  return editor(place, 'Operation', text, [running(run), graphql()]);
}

export function variablesEditor(place: HTMLElement, run: () => void): EditorView {
  const check = jsonParseLinter();
  // Nothing at all is a way to say that there are no variables.
  const checked = linter((view) => (view.state.doc.toString().trim() === '' ? [] : check(view)));
  return editor(place, 'Variables', '', [running(run), json(), checked]);
}

export function answerView(place: HTMLElement): EditorView {
  return editor(place, 'Answer', '', [json(), EditorState.readOnly.of(true)]);
}

export function textOf(view: EditorView): string {
  return view.state.doc.toString();
}

export function replaceText(view: EditorView, text: string): void {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

function editor(place: HTMLElement, name: string, doc: string, extensions: readonly Extension[]): EditorView {
  const root = place.attachShadow({ mode: 'open' });
  const named = EditorView.contentAttributes.of({ 'aria-label': name });
  return new EditorView({
    doc,
    parent: root,
    root,
    extensions: [...extensions, basicSetup, EditorView.lineWrapping, look, named],
  });
}

/** Before the editor's own keys, one of which makes a new line of this one. */
function running(run: () => void): Extension {
  const ask = (): boolean => {
    run();
    return true;
  };
  return Prec.highest(keymap.of([{ key: 'Mod-Enter', run: ask }]));
}
