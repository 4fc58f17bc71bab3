import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accessLevels,
  checkRegistration,
  dependenciesOf,
  platformCatalogue as catalogue,
  RegistrationRefused,
  type ActionName,
  type RegisteredAction,
  type RegisteredKind,
} from '../../src/catalogue/index.js';
import { matchesActionPattern } from '../../src/policy/index.js';
import { readTable } from './table.js';

const anyRow = fc.constantFrom(...catalogue.rows);

describe('the platform catalogue', () => {
  it('holds the 443 published actions and our own', () => {
    expect(catalogue.rows.filter((row) => row.origin === 'PLATFORM')).toHaveLength(443);
    expect(catalogue.rows.filter((row) => row.origin === 'BAILIWICK').length).toBeGreaterThan(20);
    expect(catalogue.rows.filter((row) => row.origin === 'SERVICE')).toEqual([]);
  });

  it('loses no row of its files', () => {
    const folder = new URL('../../schema/actions/', import.meta.url);
    const written = readdirSync(folder).flatMap((file) =>
      (JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { action: string }[]).map((row) => row.action),
    );
    expect(catalogue.rows.map((row) => row.name)).toEqual(written);
  });

  it('puts exactly these services on the level of the account', () => {
    const global = catalogue.services.filter((service) => service.global).map((service) => service.name);
    expect(global).toEqual(['bailiwick', 'bss', 'eps', 'iam', 'obs']);
  });

  it('knows every action that a door or a use-case asks', () => {
    const unknown = readTable<string>('door-actions.json').filter((name) => catalogue.find(name)?.name !== name);
    expect(unknown).toEqual([]);
  });

  it('resolves every dependency and every alias', () => {
    for (const row of catalogue.rows) {
      for (const dependency of row.dependsOn) expect(catalogue.find(dependency), row.name).toBeDefined();
      if (row.aliasOf !== null) expect(catalogue.find(row.aliasOf)?.aliasOf, row.name).toBeNull();
    }
  });

  it('describes every action in words', () => {
    expect(catalogue.rows.filter((row) => row.description.trim() === '')).toEqual([]);
  });

  it('marks what the rules lean on', () => {
    const row = (name: ActionName) => catalogue.find(name);
    expect(row('modelarts:notebook:listAllNotebooks')?.enterpriseProjectScope).toBe(false);
    expect(row('modelarts:notebook:list')?.enterpriseProjectScope).toBe(true);
    expect(row('modelarts:authorization:create')?.accessLevel).toBe('PERMISSION_MANAGEMENT');
    expect(row('modelarts:trainConfig:get')?.legacy).toBe(true);
    expect(row('modelarts:notebook:access')?.legacy).toBe(false);
    for (const own of catalogue.rows.filter(({ origin }) => origin === 'BAILIWICK')) {
      expect(own, own.name).toMatchObject({ global: true, projectScope: false, enterpriseProjectScope: false });
    }
  });
});

describe('finding', () => {
  it('finds each action in any letter case', () => {
    fc.assert(
      fc.property(anyRow, fc.infiniteStream(fc.boolean()), (row, coin) => {
        const flips = coin[Symbol.iterator]();
        const spelled = [...row.name].map((c) => (flips.next().value ? c.toUpperCase() : c.toLowerCase())).join('');
        expect(catalogue.find(spelled)).toBe(row);
        expect(catalogue.matching(spelled)).toEqual([catalogue.canonical(row.name)]);
      }),
    );
  });

  it('does not find patterns, fragments or names from the prototype', () => {
    for (const name of ['', '*:*:*', 'modelarts:notebook:*', 'modelarts', 'constructor', '__proto__', 'toString']) {
      expect(catalogue.find(name), name).toBeUndefined();
      expect(catalogue.namesOf(name)).toEqual([name]);
    }
  });

  it('gives all names of an action, the canonical one first, whichever is asked', () => {
    const both = ['iam:agencies:assume', 'iam:tokens:assume'];
    expect(catalogue.namesOf('iam:tokens:assume')).toEqual(both);
    expect(catalogue.namesOf('IAM:Agencies:ASSUME')).toEqual(both);
    expect(catalogue.canonical('iam:tokens:assume')?.name).toBe('iam:agencies:assume');
    expect(catalogue.find('iam:tokens:assume')?.name).toBe('iam:tokens:assume');
    expect(catalogue.namesOf('modelarts::listTags')).toEqual([
      'modelarts:tag:listTags',
      'modelarts::listTagsForResource',
      'modelarts::listResourcesByTag',
      'modelarts::listTags',
    ]);
    expect(catalogue.namesOf('modelarts:pool:get')).toEqual(['modelarts:pool:get']);
  });

  it('has names that are symmetric: each name of an action has the same names', () => {
    for (const row of catalogue.rows) {
      const names = catalogue.namesOf(row.name);
      expect(names).toContain(row.name);
      for (const name of names) expect(catalogue.namesOf(name)).toBe(names);
    }
  });

  it('matches a pattern by every name of an action, each action once', () => {
    expect(catalogue.matching('modelarts::*').map((row) => row.name)).toEqual([
      'modelarts:service:create',
      'modelarts:tag:listTags',
      'modelarts:tag:create',
      'modelarts:tag:delete',
    ]);
    expect(catalogue.matching('iam:tokens:*').map((row) => row.name)).toEqual(['iam:agencies:assume']);
    expect(catalogue.matching('*:*:*')).toEqual(catalogue.rows.filter((row) => row.aliasOf === null));
    expect(catalogue.matching('nothing:*:*')).toEqual([]);
  });

  it('matches as the engine does', () => {
    const piece = fc.constantFrom('*', '?', 'a', 'list*', '*s', 'notebook', 'iam', 'modelarts', 'obs', '*o*', '');
    fc.assert(
      fc.property(piece, piece, piece, (service, type, operation) => {
        const pattern = `${service}:${type}:${operation}`;
        const expected = catalogue.rows.filter((row) =>
          catalogue.namesOf(row.name).some((name) => matchesActionPattern(pattern, name)),
        );
        expect(catalogue.matching(pattern)).toEqual(expected.filter((row) => row.aliasOf === null));
      }),
    );
  });

  it('closes dependencies and leaves out what is given', () => {
    expect(dependenciesOf(['modelarts:workspace:list'])).toEqual(['eps:enterpriseProjects:list']);
    expect(dependenciesOf(['iam:groups:deleteGroup', 'iam:permissions:removeUserFromGroup'])).not.toContain(
      'iam:permissions:removeUserFromGroup',
    );
    expect(dependenciesOf(['unknown:thing:do'])).toEqual([]);
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 5 }), (rows) => {
        const given = rows.map((row) => row.name);
        const all = dependenciesOf(given);
        expect(dependenciesOf([...given, ...all])).toEqual([]);
      }),
    );
  });
});

describe('resource kinds', () => {
  it('hold every action exactly once', () => {
    const listed = catalogue.resourceKinds.flatMap((kind) => accessLevels.flatMap((level) => kind.actions[level]));
    expect(new Set(listed)).toEqual(new Set(catalogue.rows));
    expect(listed).toHaveLength(catalogue.rows.length);
  });

  it('name the blank type too', () => {
    const blank = catalogue.findKind('modelarts:');
    expect(blank).toMatchObject({ service: 'modelarts', type: '' });
    expect(blank?.actions.TAGGING.map((row) => row.name)).toEqual([
      'modelarts::tagResource',
      'modelarts::unTagResource',
    ]);
  });

  it('list what acting on them needs from elsewhere', () => {
    const notebook = catalogue.findKind('MODELARTS:Notebook');
    expect(notebook?.dependsOn).toContain('obs:object:GetObject');
    expect(notebook?.dependsOn.filter((action) => action.startsWith('modelarts:notebook:'))).toEqual([]);
  });
});

interface RegistrationCase {
  sentence: string;
  actions: RegisteredAction[];
  kinds: RegisteredKind[];
  problems: string[];
}

describe('registration of a service', () => {
  it.each(readTable<RegistrationCase>('registrations.json'))('$sentence', ({ actions, kinds, problems }) => {
    const found = checkRegistration(catalogue, actions, kinds);
    expect(found.map(({ severity, code, pointer }) => `${severity} ${code} ${pointer}`)).toEqual(problems);
    // References to what is gone are reported to whoever registers, and left out when the catalogue is built.
    const refused = found.filter(({ code }) => code !== 'IAM.1036' && code !== 'UNKNOWN_CONDITION_KEY');
    if (refused.some(({ severity }) => severity === 'ERROR')) {
      expect(() => catalogue.with(actions, kinds)).toThrow(RegistrationRefused);
    } else {
      expect(() => catalogue.with(actions, kinds)).not.toThrow();
    }
  });

  const larger = catalogue.with(
    [
      { service: 'render', name: 'render:scene:create', accessLevel: 'WRITE', conditionKeys: ['render:Quality'] },
      { service: 'render', name: 'render:scene:list', accessLevel: 'LIST', dependsOn: ['render:scene:create'] },
    ],
    [{ service: 'render', name: 'render:scene', label: 'Scene' }],
  );

  it('adds to the catalogue and leaves the smaller one as it was', () => {
    expect(larger.find('RENDER:scene:create')).toMatchObject({ origin: 'SERVICE', global: false, aliasOf: null });
    expect(larger.findKind('render:scene')?.label).toBe('Scene');
    expect(larger.services.find(({ name }) => name === 'render')).toEqual({
      name: 'render',
      global: false,
      origin: 'SERVICE',
    });
    expect(larger.findConditionKey('render:quality')).toMatchObject({ setBy: 'SERVICE', filled: 'WHEN_KNOWN' });
    expect(larger.suggest('render:scen:create')).toBe('render:scene:create');
    expect(catalogue.find('render:scene:create')).toBeUndefined();
    expect(catalogue.findConditionKey('render:Quality')).toBeUndefined();
  });

  it('lets services lean on each other, and survives one of them going', () => {
    const film: RegisteredAction = {
      service: 'film',
      name: 'film:reel:create',
      accessLevel: 'WRITE',
      dependsOn: ['render:scene:create', 'obs:object:GetObject'],
      conditionKeys: ['film:Length', 'render:Quality', 'g:ResourceTag/team'],
    };
    const render: RegisteredAction = {
      service: 'render',
      name: 'render:scene:create',
      accessLevel: 'WRITE',
      conditionKeys: ['render:Quality'],
    };
    expect(catalogue.with([film, render]).find(film.name)).toMatchObject({
      dependsOn: film.dependsOn,
      conditionKeys: film.conditionKeys,
    });
    const alone = catalogue.with([film]);
    expect(alone.find(film.name)).toMatchObject({
      dependsOn: ['obs:object:GetObject'],
      conditionKeys: ['film:Length', 'g:ResourceTag/team'],
    });
    expect(alone.findConditionKey('render:Quality')).toBeUndefined();
  });

  it('does not let a second service into a prefix that is taken', () => {
    expect(() => larger.with([{ service: 'render', name: 'render:frame:create', accessLevel: 'WRITE' }])).toThrow(
      /another service/,
    );
  });
});

describe('condition keys', () => {
  it('follow the rule on who may set what', () => {
    for (const key of catalogue.conditionKeys) {
      if (/^g:(User|Domain|Principal|MFA)/.test(key.key)) expect(key.setBy, key.key).toBe('SERVER');
    }
    expect(catalogue.findConditionKey('g:SourceIp')?.setBy).toBe('SERVICE');
    expect(catalogue.findConditionKey('g:ResourceTag/team')?.setBy).toBe('SERVICE');
  });

  it('are found without letter case, families by what follows the slash', () => {
    expect(catalogue.findConditionKey('G:USERNAME')?.key).toBe('g:UserName');
    expect(catalogue.findConditionKey('g:requesttag/a/b')?.key).toBe('g:RequestTag/<tag-key>');
    expect(catalogue.findConditionKey('g:ResourceTag/')).toBeUndefined();
    expect(catalogue.findConditionKey('g:ResourceTag')).toBeUndefined();
    expect(catalogue.findConditionKey('g:UserName/x')).toBeUndefined();
  });
});
