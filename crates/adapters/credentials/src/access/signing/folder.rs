use std::{io, path::PathBuf};

use coinlink_domain::identity::signing_keys::{
    KeyPeriod, KeyState, RotationPolicy, Withdrawn, begins, lasts, rotate, states, whole, withdraw,
};
use time::{Duration, OffsetDateTime};

use super::{
    KeyAlgorithm, KeyFolderError, NewKey, files,
    key::SigningKey,
    manifest::{Listed, Manifest},
    set::KeySet,
};

/// A folder of keys that all nodes read: one file for each key, and `keys.json`, which says when each of them signs.
///
/// Changes are made by one process at a time and are whole or not at all: a key's file is there before the list names it, and the
/// list is replaced in one step.
#[derive(Debug, Clone)]
pub struct KeyFolder(PathBuf);

/// A key as the list has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyListing {
    /// Its name.
    pub id: String,
    /// How it signs.
    pub algorithm: KeyAlgorithm,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it signs.
    pub period: KeyPeriod,
    /// Where it is in its life.
    pub state: KeyState,
}

impl KeyFolder {
    /// At `path`; it need not be there yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    fn list_path(&self) -> PathBuf {
        self.0.join("keys.json")
    }

    fn key_path(&self, kid: &str) -> PathBuf {
        self.0.join(format!("{kid}.pem"))
    }

    pub(super) fn read_list(&self) -> Result<Vec<u8>, KeyFolderError> {
        files::refuse_writable(&self.0)?;
        files::refuse_writable(&self.list_path())?;
        files::read(&self.list_path()).map_err(|error| match error {
            KeyFolderError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => KeyFolderError::None(self.0.clone()),
            other => other,
        })
    }

    fn manifest(&self) -> Result<Manifest, KeyFolderError> {
        self.parse(&self.read_list()?)
    }

    fn parse(&self, bytes: &[u8]) -> Result<Manifest, KeyFolderError> {
        Manifest::read(bytes).map_err(|why| KeyFolderError::Damaged { path: self.list_path(), why })
    }

    /// All keys, ready for use. A key that is taken away while they are read is looked for in the list that no longer has it.
    pub(super) fn load(&self) -> Result<KeySet, KeyFolderError> {
        let bytes = self.read_list()?;
        match self.load_listed(&bytes) {
            Err(error) if self.read_list()? == bytes => Err(error),
            Err(_) => self.load_listed(&self.read_list()?),
            loaded => loaded,
        }
    }

    fn load_listed(&self, bytes: &[u8]) -> Result<KeySet, KeyFolderError> {
        let manifest = self.parse(bytes)?;
        let keys = manifest.keys.iter().map(|listed| self.key(listed)).collect::<Result<_, _>>()?;
        let revoked = manifest.revoked.iter().map(|key| key.kid.clone()).collect();
        Ok(KeySet { periods: manifest.periods(), keys, revoked, list: bytes.to_vec() })
    }

    fn key(&self, listed: &Listed) -> Result<SigningKey, KeyFolderError> {
        let path = self.key_path(&listed.kid);
        let text = files::read_key(&path)?;
        let damaged = |why: &str| KeyFolderError::Damaged { path: path.clone(), why: why.into() };
        let key = SigningKey::from_pem(listed.alg, &text).map_err(damaged)?;
        if key.public.id == listed.kid { Ok(key) } else { Err(damaged("it is another key than its name says")) }
    }

    /// [`KeyFolder::load`] for whoever signs: a list of which every key retires leaves nobody to sign.
    pub(super) fn load_lasting(&self) -> Result<KeySet, KeyFolderError> {
        let set = self.load()?;
        if lasts(&set.periods) { Ok(set) } else { Err(KeyFolderError::NoneLasts(self.0.clone())) }
    }

    /// Every key of the list, whose file can be used, and then those that were revoked, which have none.
    pub fn list(&self, now: OffsetDateTime) -> Result<Vec<KeyListing>, KeyFolderError> {
        self.load()?;
        let manifest = self.manifest()?;
        let revoked = manifest.revoked.iter().map(|key| listing(key, KeyState::Revoked));
        Ok(listings(&manifest, now).into_iter().chain(revoked).collect())
    }

    /// Makes the first key, which signs after `publish`; at once where that is nothing.
    pub fn generate(&self, new: NewKey, publish: Duration, now: OffsetDateTime) -> Result<KeyListing, KeyFolderError> {
        files::make_folder(&self.0)?;
        let _lock = self.lock()?;
        match self.manifest() {
            Err(KeyFolderError::None(_)) => {}
            Ok(_) => return Err(KeyFolderError::Some(self.0.clone())),
            Err(error) => return Err(error),
        }
        let signs_from = if publish.is_positive() { begins(now, publish) } else { whole(now) };
        let manifest = Manifest::of(vec![self.make(new, now, KeyPeriod::from(signs_from))?]);
        self.save(&manifest)?;
        newest(&manifest, now)
    }

    /// Makes the next key, and says when the one before it retires. Without `new` it is like the newest one. Keys that retired longer
    /// than `keep` ago are removed, and where there are too many, those that retired later too.
    pub fn rotate(
        &self,
        new: Option<NewKey>,
        policy: RotationPolicy,
        keep: Duration,
        now: OffsetDateTime,
    ) -> Result<KeyListing, KeyFolderError> {
        let _lock = self.lock()?;
        let mut manifest = self.manifest()?;
        let mut periods = manifest.periods();
        rotate(&mut periods, now, policy);
        let (Some(period), Some(last)) = (periods.pop(), manifest.keys.last().cloned()) else {
            return Err(KeyFolderError::None(self.0.clone()));
        };
        manifest.set(&periods);
        let mut gone = manifest.drop_retired(now - keep);
        gone.extend(manifest.make_room(now).map_err(KeyFolderError::Full)?);
        let new = match new {
            Some(new) => new,
            None => self.key(&last)?.alike(),
        };
        manifest.keys.push(self.make(new, now, period)?);
        self.save(&manifest)?;
        self.erase(&gone)?;
        newest(&manifest, now)
    }

    /// Removes keys whose tokens have all expired, and the names of revoked ones of which that is so; gives their names.
    pub fn prune(&self, now: OffsetDateTime) -> Result<Vec<String>, KeyFolderError> {
        let _lock = self.lock()?;
        let mut manifest = self.manifest()?;
        let gone = manifest.drop_retired(now);
        if !gone.is_empty() {
            self.save(&manifest)?;
            self.erase(&gone)?;
        }
        Ok(gone)
    }

    /// Takes a key away at once. Where it is the one that signs, the next one does, or a new one like it. Its file is erased; its name
    /// stays for `overlap`, the longest that a token of it may live, so that whoever holds one is told to refresh. Gives the key that
    /// signs then.
    pub fn revoke(&self, kid: &str, overlap: Duration, now: OffsetDateTime) -> Result<KeyListing, KeyFolderError> {
        let _lock = self.lock()?;
        let mut manifest = self.manifest()?;
        if manifest.revoked.iter().any(|key| key.kid == kid) {
            return Err(KeyFolderError::Revoked(kid.to_owned()));
        }
        let at = manifest.keys.iter().position(|key| key.kid == kid).ok_or_else(|| KeyFolderError::Unknown(kid.to_owned()))?;
        let mut periods = manifest.periods();
        let outcome = withdraw(&mut periods, at, now);
        let gone = manifest.keys.remove(at);
        if outcome == Withdrawn::NeedsKey {
            // The leaked key's file may be damaged, too.
            let like = self.key(&gone).map_or(NewKey::EdDsa, |key| key.alike());
            let period = KeyPeriod::from(whole(now));
            manifest.keys.push(self.make(like, now, period)?);
            periods.push(period);
        }
        manifest.set(&periods);
        manifest.revoke(gone, now + overlap);
        self.save(&manifest)?;
        self.erase(&[kid.to_owned()])?;
        let signing = listings(&manifest, now).into_iter().find(|key| key.state == KeyState::Signing);
        signing.ok_or_else(|| KeyFolderError::None(self.0.clone()))
    }

    fn lock(&self) -> Result<std::fs::File, KeyFolderError> {
        if !self.0.is_dir() {
            return Err(KeyFolderError::None(self.0.clone()));
        }
        files::refuse_writable(&self.0)?;
        files::lock(&self.0.join("keys.lock"))
    }

    /// A key in a file of its own, which no list names yet.
    fn make(&self, new: NewKey, now: OffsetDateTime, period: KeyPeriod) -> Result<Listed, KeyFolderError> {
        let (key, text) = SigningKey::generate(new).map_err(KeyFolderError::NotMade)?;
        files::write_key(&self.key_path(&key.public.id), &text)?;
        let KeyPeriod { signs_from, retires_at } = period;
        Ok(Listed { kid: key.public.id.clone(), alg: key.algorithm(), created_at: whole(now), signs_from, retires_at })
    }

    fn save(&self, manifest: &Manifest) -> Result<(), KeyFolderError> {
        let path = self.list_path();
        let bytes = manifest.write().map_err(|why| KeyFolderError::Damaged { path: path.clone(), why })?;
        files::replace(&self.0, &path, &bytes)
    }

    fn erase(&self, gone: &[String]) -> Result<(), KeyFolderError> {
        gone.iter().try_for_each(|kid| files::remove(&self.key_path(kid)))
    }
}

fn listings(manifest: &Manifest, now: OffsetDateTime) -> Vec<KeyListing> {
    let states = states(&manifest.periods(), now);
    manifest.keys.iter().zip(states).map(|(key, state)| listing(key, state)).collect()
}

fn listing(key: &Listed, state: KeyState) -> KeyListing {
    let period = KeyPeriod { signs_from: key.signs_from, retires_at: key.retires_at };
    KeyListing { id: key.kid.clone(), algorithm: key.alg, created_at: key.created_at, period, state }
}

fn newest(manifest: &Manifest, now: OffsetDateTime) -> Result<KeyListing, KeyFolderError> {
    listings(manifest, now).pop().ok_or(KeyFolderError::NotMade("no key was made"))
}
