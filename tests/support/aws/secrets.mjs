// SPDX-License-Identifier: Apache-2.0
//
// One secret of AWS Secrets Manager: its versions, their staging labels, and the two actions that
// read and replace it, as the service documents them.
import { randomUUID } from 'node:crypto';
import { Refused } from './signature.mjs';

export const VALUE_MAX = 65536;
const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';

export class Secret {
  constructor(arn, text) {
    this.arn = arn;
    this.name = arn.split(':').pop().replace(/-[A-Za-z0-9]{6}$/, '');
    this.versions = new Map(); // id -> {text, created}
    this.stages = new Map(); // label -> id
    this.put(randomUUID(), text);
  }

  isNamed(id) {
    return id === this.arn || id === this.name;
  }

  // A version under that id, unchecked, made the current one.
  put(id, text) {
    this.versions.set(id, { text, created: Date.now() / 1000 });
    const before = this.stages.get(CURRENT);
    if (before) this.stages.set(PREVIOUS, before);
    this.stages.set(CURRENT, id);
  }

  labels(id) {
    return [...this.stages].filter(([, of]) => of === id).map(([label]) => label);
  }

  find(SecretId) {
    if (!this.isNamed(SecretId)) {
      throw new Refused('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
  }

  GetSecretValue({ SecretId, VersionId, VersionStage }) {
    this.find(SecretId);
    const id = VersionId ?? this.stages.get(VersionStage ?? CURRENT);
    const version = this.versions.get(id);
    if (!version) {
      throw new Refused('ResourceNotFoundException', "Secrets Manager can't find the specified secret version.");
    }
    return {
      ARN: this.arn,
      CreatedDate: version.created,
      Name: this.name,
      SecretString: version.text,
      VersionId: id,
      VersionStages: this.labels(id),
    };
  }

  PutSecretValue({ SecretId, ClientRequestToken: id, SecretString: text }) {
    this.find(SecretId);
    if (typeof id !== 'string' || id.length < 32 || id.length > 64) {
      throw new Refused('InvalidParameterException', 'You must provide a ClientRequestToken value.');
    }
    if (typeof text !== 'string' || Buffer.byteLength(text) > VALUE_MAX) {
      throw new Refused('ValidationException', 'Member must have length less than or equal to 65536');
    }
    const there = this.versions.get(id);
    if (there && there.text !== text) {
      throw new Refused(
        'ResourceExistsException',
        `The operation failed because the version ${id} already exists.`,
      );
    }
    if (!there) this.put(id, text); // the same again is ignored
    return { ARN: this.arn, Name: this.name, VersionId: id, VersionStages: this.labels(id) };
  }
}
