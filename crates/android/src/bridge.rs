//! The functions that Kotlin calls, each of `org.callbook.engine.Native`: bytes in, bytes out. What lives here converts
//! and nothing else. A handle is a number that is looked up: one that was closed, or never given, is an
//! exception, and so is a panic.
#![allow(unsafe_code)] // the names by which the JVM finds these functions; nothing else of this file is unsafe

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jni::errors::ThrowRuntimeExAndDefault;
use jni::objects::{JByteArray, JClass, JObject, JThrowable, JValue};
use jni::sys::{jint, jlong};
use jni::{Env, EnvUnowned, jni_sig, jni_str};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::http::Cancel;
use crate::phone::{Phone, parse};

/// The phones that are open, by handle.
static PHONES: Mutex<BTreeMap<jlong, Arc<Open>>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicI64 = AtomicI64::new(1);

struct Open {
    /// One call at a time, but for the time in which a request is under way. It is poisoned when a call has panicked.
    phone: Mutex<Phone>,
    /// Held by whoever may change something, from the beginning of the call to its end.
    turn: Mutex<()>,
    /// Outside, so that a call under way does not hold up whoever gives it up.
    cancel: Cancel,
}

impl Open {
    fn new(phone: Phone) -> Self {
        let cancel = phone.cancel();
        Self { phone: Mutex::new(phone), turn: Mutex::new(()), cancel }
    }

    /// Does what a command says. Queries wait for no request: a screen shows what the phone has while it syncs.
    fn call(&self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let command = Phone::read(command)?;
        let turn = (!command.is_query()).then(|| self.turn.lock().map_err(|_| Error::Crashed));
        let _turn = turn.transpose()?;
        let phone = || self.phone.lock().map_err(|_| Error::Crashed);
        let (answer, asking) = phone()?.begin_call(command)?;
        if let Some(asking) = asking {
            let heard = asking.send();
            phone()?.hear(heard)?;
        }
        phone()?.end_call(&answer)
    }
}

fn phones() -> MutexGuard<'static, BTreeMap<jlong, Arc<Open>>> {
    PHONES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn of(handle: jlong) -> Result<Arc<Open>, Error> {
    phones().get(&handle).cloned().ok_or(Error::Closed)
}

/// `open(config: ByteArray): Long`
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_callbook_engine_Native_open<'l>(
    mut env: EnvUnowned<'l>,
    _class: JClass<'l>,
    config: JByteArray<'l>,
) -> jlong {
    let work = |env: &mut Env<'l>| -> Result<jlong, jni::errors::Error> {
        let config = Zeroizing::new(env.convert_byte_array(&config)?);
        let opened = parse(&config).and_then(Phone::open);
        or_throw(
            env,
            opened.map(|phone| {
                let handle = NEXT.fetch_add(1, Ordering::Relaxed);
                phones().insert(handle, Arc::new(Open::new(phone)));
                handle
            }),
        )
    };
    env.with_env(work).resolve::<ThrowRuntimeExAndDefault>()
}

/// `call(handle: Long, command: ByteArray): ByteArray`
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_callbook_engine_Native_call<'l>(
    mut env: EnvUnowned<'l>,
    _class: JClass<'l>,
    handle: jlong,
    command: JByteArray<'l>,
) -> JByteArray<'l> {
    let work = |env: &mut Env<'l>| -> Result<JByteArray<'l>, jni::errors::Error> {
        let command = Zeroizing::new(env.convert_byte_array(&command)?);
        let answer = of(handle).and_then(|open| open.call(&command));
        let answer = or_throw(env, answer)?;
        env.byte_array_from_slice(&answer)
    };
    env.with_env(work).resolve::<ThrowRuntimeExAndDefault>()
}

/// `echo(bytes: ByteArray): ByteArray`: the bytes as they came, to measure the bridge by itself.
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_callbook_engine_Native_echo<'l>(
    mut env: EnvUnowned<'l>,
    _class: JClass<'l>,
    bytes: JByteArray<'l>,
) -> JByteArray<'l> {
    let work = |env: &mut Env<'l>| -> Result<JByteArray<'l>, jni::errors::Error> {
        let bytes = env.convert_byte_array(&bytes)?;
        env.byte_array_from_slice(&bytes)
    };
    env.with_env(work).resolve::<ThrowRuntimeExAndDefault>()
}

/// `log(level: Int)`: how much the phone's log is told, as [`set_level`](crate::log::set_level) says.
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_callbook_engine_Native_log<'l>(
    mut env: EnvUnowned<'l>,
    _class: JClass<'l>,
    level: jint,
) {
    let work = |_: &mut Env<'l>| -> Result<(), jni::errors::Error> {
        crate::log::set_level(level);
        Ok(())
    };
    env.with_env(work).resolve::<ThrowRuntimeExAndDefault>()
}

/// `cancel(handle: Long)`: the sync under way ends, its request is given up. From any thread; of a handle that is
/// closed, nothing.
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_callbook_engine_Native_cancel<'l>(
    mut env: EnvUnowned<'l>,
    _class: JClass<'l>,
    handle: jlong,
) {
    let work = |_: &mut Env<'l>| -> Result<(), jni::errors::Error> {
        if let Ok(open) = of(handle) {
            open.cancel.cancel();
        }
        Ok(())
    };
    env.with_env(work).resolve::<ThrowRuntimeExAndDefault>()
}

/// `close(handle: Long)`: the call under way is cancelled, and the phone goes when it has ended. Twice does no harm.
#[unsafe(no_mangle)]
pub(crate) extern "system" fn Java_org_callbook_engine_Native_close<'l>(
    mut env: EnvUnowned<'l>,
    _class: JClass<'l>,
    handle: jlong,
) {
    let work = |_: &mut Env<'l>| -> Result<(), jni::errors::Error> {
        // Not within the `if`: the list would be locked while a store closes.
        let open = phones().remove(&handle);
        if let Some(open) = open {
            open.cancel.cancel();
        }
        Ok(())
    };
    env.with_env(work).resolve::<ThrowRuntimeExAndDefault>()
}

/// The value, or a `CallbookException` that Kotlin catches.
fn or_throw<T>(env: &mut Env<'_>, outcome: Result<T, Error>) -> Result<T, jni::errors::Error> {
    match outcome {
        Ok(value) => Ok(value),
        Err(error) => {
            let code = env.new_string(error.code())?;
            let message = env.new_string(error.to_string())?;
            let retry_after = match error.retry_after() {
                Some(seconds) => {
                    let seconds = JValue::Long(jlong::try_from(seconds).unwrap_or(jlong::MAX));
                    let class = jni_str!("java/lang/Long");
                    let boxed = jni_sig!("(J)Ljava/lang/Long;");
                    env.call_static_method(class, jni_str!("valueOf"), boxed, &[seconds])?.l()?
                }
                None => JObject::null(),
            };
            let exception = env.new_object(
                jni_str!("org/callbook/engine/CallbookException"),
                jni_sig!("(Ljava/lang/String;Ljava/lang/String;Ljava/lang/Long;)V"),
                &[JValue::Object(&code), JValue::Object(&message), JValue::Object(&retry_after)],
            )?;
            let exception = env.cast_local::<JThrowable>(exception)?;
            env.throw(exception)?;
            Err(jni::errors::Error::JavaException)
        }
    }
}
